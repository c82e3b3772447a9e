import type { ReactNode } from 'react'
import { useTranslation } from 'react-i18next'

/** `sort`: the key by which the API sorts, if it can. */
export type Column<Row> = { name: string; cell: (row: Row) => ReactNode; sort?: string; isNumber?: boolean }
type Props<Row> = {
  columns: Column<Row>[]
  rows: Row[]
  idOf: (row: Row) => string
  nameOf: (row: Row) => string
  actions?: ((row: Row) => ReactNode) | undefined
  sort?: string
  isDescending?: boolean
  onSort?: (sort: string, isDescending: boolean) => void
  chosen?: readonly string[]
  onChoose?: (ids: readonly string[]) => void
}

/** Rows of something. On a narrow screen each row is a block, and each value has its name beside it. */
export function Table<Row>(props: Props<Row>) {
  const { columns, rows, idOf, nameOf, actions, sort, isDescending, onSort, chosen, onChoose } = props
  const { t } = useTranslation('admin')
  const ids = rows.map(idOf)
  const isAll = chosen !== undefined && ids.every((id) => chosen.includes(id))
  const toggle = (id: string) => onChoose?.(chosen?.includes(id) ? chosen.filter((each) => each !== id) : [...(chosen ?? []), id])
  return (
    <div className="card tableCard">
      <table className="table">
        <thead>
          <tr>
            {onChoose && (
              <th>
                <input type="checkbox" className="check" aria-label={t('list.all')} checked={isAll} onChange={() => onChoose(isAll ? [] : ids)} />
              </th>
            )}
            {columns.map((column) => (
              <th
                key={column.name}
                scope="col"
                className={column.isNumber ? 'number' : undefined}
                aria-sort={column.sort === undefined || column.sort !== sort ? undefined : isDescending ? 'descending' : 'ascending'}
              >
                {column.sort && onSort ? (
                  <button type="button" className="sorting" onClick={() => onSort(column.sort!, column.sort === sort ? !isDescending : true)}>
                    {column.name}
                    <span aria-hidden="true">{column.sort === sort ? (isDescending ? ' ↓' : ' ↑') : ''}</span>
                  </button>
                ) : (
                  column.name
                )}
              </th>
            ))}
            {actions && (
              <th>
                <span className="hidden">{t('list.actions')}</span>
              </th>
            )}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={idOf(row)}>
              {onChoose && (
                <td className="chooseCell">
                  <input
                    type="checkbox"
                    className="check"
                    aria-label={t('list.choose', { name: nameOf(row) })}
                    checked={chosen?.includes(idOf(row)) ?? false}
                    onChange={() => toggle(idOf(row))}
                  />
                </td>
              )}
              {columns.map((column) => (
                <td key={column.name} data-name={column.name} className={column.isNumber ? 'number' : undefined}>
                  <div>{column.cell(row)}</div>
                </td>
              ))}
              {actions && <td className="actionCell">{actions(row)}</td>}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}
