import { Button, NativeSelect } from '@mantine/core'
import { type ReactNode, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useSearchParams } from 'wouter'
import { listed } from '../api/admin'
import { usePages } from '../parts/usePages'
import { Waiting } from '../parts/Waiting'
import { Wrong } from '../parts/Wrong'
import { Search } from './Search'
import { type Column, Table } from './Table'

export type Filter = { key: string; label: string; values: { value: string; label: string }[] }
type Props<Row> = {
  /** Of the list in `/v1/admin`, which its answer's field has too. */
  name: string
  columns: Column<Row>[]
  filters?: Filter[]
  /** What is searched, if it can be. */
  search?: string
  /** The sum of all rows, or of those that were searched for, in words. */
  count: (count: number, isSearch: boolean) => string
  empty: string
  idOf: (row: Row) => string
  nameOf: (row: Row) => string
  actions?: (row: Row) => ReactNode
  batch?: (rows: Row[], done: () => void) => ReactNode
}

/** A list of the administration. Its search, filters and order are in the address, so that a link to them can be kept. */
export function Listing<Row>(props: Props<Row>) {
  const { name, columns, filters = [], search, count, empty, idOf, nameOf, actions, batch } = props
  const { t } = useTranslation('admin')
  const [wanted, setWanted] = useSearchParams()
  const [chosen, setChosen] = useState<readonly string[]>([])
  const asked = Object.fromEntries(wanted)
  const found = usePages<Row>(['admin', name, asked], (after) => listed<Row>(name, asked, after))
  const isFiltered = Object.keys(asked).some((key) => key !== 'sort' && key !== 'order')

  function want(changes: Record<string, string>) {
    setWanted(
      (before) => new URLSearchParams(Object.entries({ ...Object.fromEntries(before), ...changes }).filter(([, value]) => value !== '')),
      { replace: true },
    )
  }

  const rows = found.rows
  // Chosen rows stay so: the words of a search come a moment after they were typed, when a row may be chosen already.
  const selected = rows.filter((row) => chosen.includes(idOf(row)))
  return (
    <>
      <div className="filters">
        {search && <Search label={search} value={asked['search'] ?? ''} onSearch={(words) => want({ search: words })} />}
        {filters.map(({ key, label, values }) => (
          <NativeSelect
            key={key}
            aria-label={label}
            value={asked[key] ?? ''}
            data={[{ value: '', label }, ...values]}
            onChange={(event) => want({ [key]: event.target.value })}
          />
        ))}
        {isFiltered && (
          <button type="button" className="link small" onClick={() => setWanted(new URLSearchParams(), { replace: true })}>
            {t('list.clear')}
          </button>
        )}
      </div>
      <div className="line listHead">
        <span className="faint small" role="status">
          {found.total === null ? '' : count(found.total, Boolean(asked['search']))}
        </span>
        {batch && selected.length > 0 && (
          <div className="buttons batch">
            <span className="small">{t('list.selected', { count: selected.length })}</span>
            {batch(selected, () => setChosen([]))}
          </div>
        )}
      </div>
      <Wrong error={found.error} />
      {found.isPending ? (
        <Waiting />
      ) : rows.length === 0 ? (
        <p className="card centered faint">{isFiltered ? t('list.nothing') : empty}</p>
      ) : (
        <Table
          columns={columns}
          rows={rows}
          idOf={idOf}
          nameOf={nameOf}
          actions={actions}
          sort={asked['sort'] ?? 'created_at'}
          isDescending={(asked['order'] ?? 'desc') === 'desc'}
          onSort={(sort, isDescending) => want({ sort, order: isDescending ? 'desc' : 'asc' })}
          {...(batch && { chosen, onChoose: setChosen })}
        />
      )}
      {found.hasNextPage && (
        <Button variant="default" loading={found.isFetchingNextPage} onClick={() => void found.fetchNextPage()}>
          {t('list.more')}
        </Button>
      )}
    </>
  )
}
