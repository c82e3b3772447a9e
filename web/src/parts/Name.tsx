import { useTranslation } from 'react-i18next'
import { isMixed } from './letters'

/** The name of an account or room. One whose letters are of several scripts says so, since it may imitate another. */
export function Name({ name }: { name: string | null }) {
  const { t } = useTranslation()
  if (name === null) return <span className="faint">{t('rooms.nobody')}</span>
  return (
    <>
      <bdi>{name}</bdi>
      {isMixed(name) && (
        <span className="mixed" title={t('rooms.mixedHint')}>
          {t('rooms.mixed')}
        </span>
      )}
    </>
  )
}
