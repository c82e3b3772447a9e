import { useTranslation } from 'react-i18next'

/** A date, and below it, where there is little room, the time. */
export function Moment({ at, never = '—' }: { at: string | null; never?: string }) {
  const { i18n } = useTranslation()
  if (at === null) return <span className="moment">{never}</span>
  const date = new Date(at)
  return (
    <time className="moment" dateTime={at}>
      <span>{new Intl.DateTimeFormat(i18n.language, { dateStyle: 'medium' }).format(date)}</span>{' '}
      <span>{new Intl.DateTimeFormat(i18n.language, { timeStyle: 'short' }).format(date)}</span>
    </time>
  )
}
