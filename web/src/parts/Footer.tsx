import { useComputedColorScheme, useMantineColorScheme } from '@mantine/core'
import { useTranslation } from 'react-i18next'
import { choose, type Language, LANGUAGES } from '../i18n'

export function Footer() {
  const { t, i18n } = useTranslation()
  // Without this, Mantine adds a style rule for a moment, which the policy of the page forbids.
  const { setColorScheme } = useMantineColorScheme({ keepTransitions: true })
  const scheme = useComputedColorScheme('light')
  const others = (Object.keys(LANGUAGES) as Language[]).filter((language) => language !== i18n.language)
  return (
    <footer className="footer">
      {others.map((language) => (
        <button key={language} type="button" lang={language} onClick={() => void choose(language)}>
          {LANGUAGES[language]}
        </button>
      ))}
      <button type="button" onClick={() => setColorScheme(scheme === 'dark' ? 'light' : 'dark')}>
        {scheme === 'dark' ? t('nav.light') : t('nav.dark')}
      </button>
    </footer>
  )
}
