import { useTranslation } from 'react-i18next'

/** An account or a room, as the API names it. */
export type Named = { name: string | null; mixed_scripts?: readonly string[] }

/** The name of an account or room. One whose letters are of several scripts says so, since it may imitate another. */
export function Name({ of: { name, mixed_scripts: scripts = [] } }: { of: Named }) {
  const { t, i18n } = useTranslation()
  if (name === null) return <span className="faint">{t('rooms.nobody')}</span>
  const named = () => scripts.map((script) => new Intl.DisplayNames(i18n.language, { type: 'script' }).of(script) ?? script)
  return (
    <>
      <bdi>{name}</bdi>
      {scripts.length > 0 && (
        <span className="mixed" title={t('rooms.mixedHint', { scripts: named().join(', ') })}>
          {t('rooms.mixed')}
        </span>
      )}
    </>
  )
}
