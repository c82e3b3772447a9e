import { useQuery } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'
import { readUsage } from '../api/account'
import { size } from '../format'
import { Wrong } from '../parts/Wrong'
import { Bar } from '../send/PieceRow'

/** How much the account holds, and how much it may. */
export function Usage() {
  const { t, i18n } = useTranslation('own')
  const { data, error } = useQuery({ queryKey: ['usage'], queryFn: readUsage })
  if (!data) return <Wrong error={error} />
  const { bytes, files, reserved_bytes, limits } = data
  const used = bytes + reserved_bytes
  const held = size(used, i18n.language)
  return (
    <section className="card inner">
      <h2>{t('usage.title')}</h2>
      <div>
        <p>
          {limits.bytes === null ? held : t('usage.of', { used: held, limit: size(limits.bytes, i18n.language) })}
          <span className="faint"> · {limits.files === null ? t('usage.files', { count: files }) : t('usage.filesOf', { count: files, limit: limits.files })}</span>
        </p>
        {limits.bytes !== null && <Bar name={t('usage.title')} part={used} whole={limits.bytes} />}
      </div>
    </section>
  )
}
