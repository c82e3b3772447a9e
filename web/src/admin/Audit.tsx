import { Button, TextInput } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'
import { useSearchParams } from 'wouter'
import { auditQuery, readLog } from '../api/admin'
import { request } from '../api/call'
import type { EntryView } from '../api/types'
import { asField, asMoment } from '../mine/moments'
import { saveFile } from '../parts/saveFile'
import { usePages } from '../parts/usePages'
import { Waiting } from '../parts/Waiting'
import { Wrong } from '../parts/Wrong'
import { shown } from './changes'
import { Moment } from './Moment'
import { Search } from './Search'
import { Table } from './Table'

const WORDS = ['actor', 'act', 'target', 'address'] as const
const MOMENTS = ['from', 'until'] as const

/** What administrators did, and every change of the policy, of rights and of keys. The filters are in the address. */
export function Audit() {
  const { t } = useTranslation('admin')
  const [wanted, setWanted] = useSearchParams()
  const filters = Object.fromEntries([...WORDS, ...MOMENTS].flatMap((key) => (wanted.get(key) ? [[key, wanted.get(key)!]] : [])))
  const isFiltered = Object.keys(filters).length > 0
  const found = usePages<EntryView>(['admin', 'audit', filters], (after) => readLog(filters, after))
  const exporting = useMutation({
    mutationFn: async () => saveFile(await (await request('GET', `/v1/admin/audit/export?${auditQuery(filters)}`)).blob(), 'audit.jsonl'),
  })
  const want = (key: string, value: string | null) =>
    setWanted((before) => new URLSearchParams(Object.entries({ ...Object.fromEntries(before), [key]: value ?? '' }).filter(([, each]) => each !== '')), {
      replace: true,
    })
  return (
    <>
      <div className="filters auditFilters">
        {WORDS.map((key) => (
          <Search key={key} label={t(`audit.filters.${key}`)} value={filters[key] ?? ''} onSearch={(words) => want(key, words)} />
        ))}
        {MOMENTS.map((key) => (
          <TextInput
            key={key}
            type="datetime-local"
            label={t(`audit.filters.${key}`)}
            value={asField(filters[key] ?? null)}
            onChange={(event) => want(key, asMoment(event.target.value))}
          />
        ))}
      </div>
      <div className="line listHead">
        <Button variant="default" loading={exporting.isPending} onClick={() => exporting.mutate()}>
          {isFiltered ? t('audit.exportFound') : t('audit.export')}
        </Button>
        {isFiltered && (
          <button type="button" className="link small" onClick={() => setWanted(new URLSearchParams(), { replace: true })}>
            {t('list.clear')}
          </button>
        )}
      </div>
      <Wrong error={exporting.error ?? found.error} />
      {found.isPending ? (
        <Waiting />
      ) : found.rows.length === 0 ? (
        !found.error && <p className="card centered faint">{isFiltered ? t('list.nothing') : t('audit.none')}</p>
      ) : (
        <Table
          rows={found.rows}
          idOf={({ id }) => id}
          nameOf={({ act }) => act}
          columns={[
            { name: t('audit.at'), cell: (entry) => <Moment at={entry.at} /> },
            { name: t('audit.who'), cell: (entry) => <bdi>{entry.account_name}</bdi> },
            { name: t('audit.act'), cell: (entry) => <code>{entry.act}</code> },
            { name: t('audit.target'), cell: (entry) => <bdi className="anywhere">{entry.target_name ?? entry.target_id ?? '—'}</bdi> },
            { name: t('audit.change'), cell: (entry) => <Change entry={entry} /> },
            { name: t('audit.address'), cell: (entry) => <span className="moment">{entry.address}</span> },
          ]}
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

function Change({ entry }: { entry: EntryView }) {
  const { i18n } = useTranslation()
  const names = [...new Set([...Object.keys(entry.old ?? {}), ...Object.keys(entry.new ?? {})])]
  if (names.length === 0) return <span className="faint">—</span>
  return (
    <ul className="small">
      {names.map((name) => (
        <li key={name} className="anywhere">
          <span className="faint">{name}:</span> <bdi>{shown(entry.old?.[name], i18n.language)}</bdi> →{' '}
          <bdi>{shown(entry.new?.[name], i18n.language)}</bdi>
        </li>
      ))}
    </ul>
  )
}
