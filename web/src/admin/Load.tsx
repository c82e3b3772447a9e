import { useQuery } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'
import { readSystem } from '../api/admin'
import { Wrong } from '../parts/Wrong'
import { Figure } from './Figure'
import { StoreFigure } from './StoreFigure'

const LOOK_MILLISECONDS = 10_000

/** How full the store is, and how much waits to be done. */
export function Load() {
  const { t, i18n } = useTranslation('admin')
  const { data, error } = useQuery({ queryKey: ['admin', 'system'], queryFn: readSystem, refetchInterval: LOOK_MILLISECONDS })
  if (!data) return <Wrong error={error} />
  const waiting = data.queues.reduce((sum, { depth }) => sum + depth, 0)
  const oldest = Math.max(0, ...data.queues.map(({ oldest_seconds }) => oldest_seconds ?? 0))
  return (
    <>
      {data.store && <StoreFigure store={data.store} />}
      <Figure
        name={t('dashboard.queue')}
        value={new Intl.NumberFormat(i18n.language).format(waiting)}
        more={waiting === 0 ? t('dashboard.idle') : t('dashboard.oldest', { seconds: Math.round(oldest) })}
      />
    </>
  )
}

/** Says so if a part does not work. */
export function Ill() {
  const { t } = useTranslation('admin')
  const { data } = useQuery({ queryKey: ['admin', 'system'], queryFn: readSystem, refetchInterval: LOOK_MILLISECONDS })
  const workers = (data?.workers ?? []).map((worker) => ({ ...worker, name: `${worker.name} (${t('system.worker')})` }))
  const ill = [...(data?.services ?? []), ...(data?.engines ?? []), ...workers].filter(({ healthy }) => !healthy)
  if (ill.length === 0) return null
  return (
    <p role="alert" className="notice bad">
      {t('dashboard.ill', { names: ill.map(({ name }) => name).join(', ') })}
    </p>
  )
}
