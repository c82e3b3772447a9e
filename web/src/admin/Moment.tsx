import { useTranslation } from 'react-i18next'
import { moment } from '../format'

export function Moment({ at, never = '—' }: { at: string | null; never?: string }) {
  const { i18n } = useTranslation()
  if (at === null) return <span className="moment">{never}</span>
  return (
    <time className="moment" dateTime={at}>
      {moment(at, i18n.language)}
    </time>
  )
}
