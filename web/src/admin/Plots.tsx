import { NativeSelect } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { readStatistics, type SeriesName } from '../api/admin'
import { size } from '../format'
import { Wrong } from '../parts/Wrong'
import { ByDialect } from './ByDialect'
import { Plot } from './Plot'

const HOUR = 3_600_000
const DAY = 24 * HOUR
const SPANS = {
  day: { length: DAY, step: 'hour' },
  week: { length: 7 * DAY, step: 'hour' },
  month: { length: 30 * DAY, step: 'day' },
  year: { length: 365 * DAY, step: 'day' },
} as const
type Span = keyof typeof SPANS
const LOOK_MILLISECONDS = 60_000

/** What went through the place over time. */
export default function Plots() {
  const { t, i18n } = useTranslation('admin')
  const [span, setSpan] = useState<Span>('day')
  const { length, step } = SPANS[span]
  const found = useQuery({
    queryKey: ['admin', 'statistics', span],
    queryFn: () => readStatistics(new Date(Date.now() - length), new Date(), step),
    refetchInterval: LOOK_MILLISECONDS,
    placeholderData: (before) => before,
  })
  const data = found.data
  const bytes = (value: number) => size(value, i18n.language)
  const number = (value: number) => new Intl.NumberFormat(i18n.language).format(value)
  const line = (key: SeriesName) => ({ name: t(`dashboard.series.${key}`), values: data?.series[key].total ?? [] })
  const plots = [
    { title: t('dashboard.plotBytes'), lines: [line('bytes_in'), line('bytes_out')], shown: bytes },
    { title: t('dashboard.plotTransfers'), lines: [line('uploads'), line('downloads')], shown: number },
    { title: t('dashboard.plotShares'), lines: [line('shares_made'), line('shares_ended')], shown: number },
    { title: t('dashboard.plotFailures'), lines: [line('failures'), line('codes_refused')], shown: number },
  ]
  return (
    <>
      <div className="line">
        <h2>{t('dashboard.over')}</h2>
        <NativeSelect
          aria-label={t('dashboard.span')}
          value={span}
          data={(Object.keys(SPANS) as Span[]).map((value) => ({ value, label: t(`dashboard.spans.${value}`) }))}
          onChange={(event) => setSpan(event.target.value as Span)}
        />
      </div>
      <Wrong error={found.error} />
      <div className="plots">
        {plots.map((plot) => (
          <Plot key={plot.title} {...plot} times={data?.times ?? []} step={data?.step ?? step} />
        ))}
      </div>
      {data && <ByDialect series={data.series} />}
    </>
  )
}
