import { useQuery } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'
import { readTotals } from '../api/admin'
import { size } from '../format'
import { Wrong } from '../parts/Wrong'
import { Figure } from './Figure'

const LOOK_MILLISECONDS = 60_000

/** Sums over everything that is shared. */
export function Totals() {
  const { t, i18n } = useTranslation('admin')
  const language = i18n.language
  const { data, error } = useQuery({ queryKey: ['admin', 'totals'], queryFn: readTotals, refetchInterval: LOOK_MILLISECONDS })
  const number = (value: number) => new Intl.NumberFormat(language).format(value)
  if (!data) return <Wrong error={error} />
  return (
    <>
      <Figure name={t('dashboard.shares')} value={number(data.shares)} more={t('dashboard.active', { count: data.active })} />
      <Figure
        name={t('dashboard.held')}
        value={size(data.size, language)}
        more={t('dashboard.filesTexts', { files: number(data.files), texts: number(data.texts) })}
      />
      <Figure
        name={t('dashboard.today')}
        value={number(data.today)}
        more={t('dashboard.yesterday', { count: data.yesterday, size: size(data.today_size, language) })}
      />
      <Figure name={t('dashboard.downloads')} value={number(data.downloads)} more={t('dashboard.never', { count: data.never_retrieved })} />
    </>
  )
}
