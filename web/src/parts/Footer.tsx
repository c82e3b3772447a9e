import { useComputedColorScheme, useMantineColorScheme } from '@mantine/core'
import { useTranslation } from 'react-i18next'
import { choose, type Language, LANGUAGES } from '../i18n'

export function Footer() {
  const { t, i18n } = useTranslation()
  const { setColorScheme } = useMantineColorScheme()
  const scheme = useComputedColorScheme('light')
  const others = (Object.keys(LANGUAGES) as Language[]).filter((language) => language !== i18n.language)
  return (
    <footer className="footer">
      {others.map((language) => (
        <button key={language} type="button" lang={language} onClick={() => void choose(language)}>
          {LANGUAGES[language]}
        </button>
      ))}
      <button type="button" aria-label={t('nav.scheme')} onClick={() => setColorScheme(scheme === 'dark' ? 'light' : 'dark')}>
        {scheme === 'dark' ? '☀' : '☾'}
      </button>
    </footer>
  )
}
