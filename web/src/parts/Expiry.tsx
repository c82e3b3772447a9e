import { useTranslation } from 'react-i18next'
import { duration, moment } from '../format'
import { serverNow } from '../api/clock'
import { useNow } from './useNow'

/** The end of a share, with a live countdown. */
export function Expiry({ at, downloadsLeft }: { at: string | null; downloadsLeft: number | null }) {
  const { t, i18n } = useTranslation()
  const now = serverNow(useNow())
  const left = at === null ? null : Date.parse(at) - now
  const when =
    at === null
      ? t('expiry.never')
      : left! <= 0
        ? t('expiry.over')
        : `${t('expiry.at', { moment: moment(at, i18n.language) })} · ${t('expiry.in', { time: duration(left!, i18n.language) })}`
  return (
    <span className="figures">
      {when}
      {downloadsLeft !== null && ` · ${t('expiry.downloadsLeft', { count: downloadsLeft })}`}
    </span>
  )
}
