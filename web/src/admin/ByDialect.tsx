import { useTranslation } from 'react-i18next'
import type { Series, Statistics } from '../api/admin'
import { size } from '../format'
import { Table } from './Table'

/** What went through the place, by the protocols that clients speak. */
export function ByDialect({ series }: { series: Statistics['series'] }) {
  const { t, i18n } = useTranslation('admin')
  const { bytes_in, bytes_out, uploads, downloads } = series
  const names = [...new Set([bytes_in, bytes_out, uploads, downloads].flatMap((each) => Object.keys(each.by_dialect)))]
  const sum = (each: Series, name: string) => (each.by_dialect[name] ?? []).reduce((all, value) => all + value, 0)
  const number = (value: number) => new Intl.NumberFormat(i18n.language).format(value)
  // A newer server may know one that this page does not.
  const label = (name: string) => t(`dashboard.protocols.${name as 'curl'}`, { defaultValue: name })
  if (names.length === 0) return null
  return (
    <>
      <h2>{t('dashboard.byDialect')}</h2>
      <Table
        rows={names.sort((one, other) => sum(bytes_in, other) + sum(bytes_out, other) - sum(bytes_in, one) - sum(bytes_out, one))}
        idOf={(name) => name}
        nameOf={label}
        columns={[
          { name: t('dashboard.dialect'), cell: (name) => <div className="name">{label(name)}</div> },
          { name: t('dashboard.columns.bytes_in'), isNumber: true, cell: (name) => size(sum(bytes_in, name), i18n.language) },
          { name: t('dashboard.columns.bytes_out'), isNumber: true, cell: (name) => size(sum(bytes_out, name), i18n.language) },
          { name: t('dashboard.columns.uploads'), isNumber: true, cell: (name) => number(sum(uploads, name)) },
          { name: t('dashboard.columns.downloads'), isNumber: true, cell: (name) => number(sum(downloads, name)) },
        ]}
      />
    </>
  )
}
