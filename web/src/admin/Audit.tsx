import { Button, TextInput } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { readLog } from '../api/admin'
import { request } from '../api/call'
import type { EntryView } from '../api/types'
import { hasWords } from '../mine/ShareRow'
import { saveFile } from '../parts/saveFile'
import { usePages } from '../parts/usePages'
import { Waiting } from '../parts/Waiting'
import { Wrong } from '../parts/Wrong'
import { Moment } from './Moment'
import { Table } from './Table'

/** What administrators did, and every change of the policy, of rights and of keys. */
export function Audit() {
  const { t } = useTranslation('admin')
  const [words, setWords] = useState('')
  const found = usePages<EntryView>(['admin', 'audit'], readLog, words.trim() !== '')
  const exporting = useMutation({
    mutationFn: async () => saveFile(await (await request('GET', '/v1/admin/audit/export')).blob(), 'audit.jsonl'),
  })
  const rows = found.rows.filter((entry) =>
    hasWords(words, entry.act, entry.account_name, entry.address, entry.target_kind, entry.target_id, entry.target_name, entry.request_id),
  )
  return (
    <>
      <div className="filters">
        <TextInput type="search" aria-label={t('audit.search')} placeholder={t('audit.search')} value={words} onChange={(event) => setWords(event.target.value)} />
        <Button variant="default" loading={exporting.isPending} onClick={() => exporting.mutate()}>
          {t('audit.export')}
        </Button>
      </div>
      <Wrong error={exporting.error ?? found.error} />
      {found.isPending || (rows.length === 0 && found.isLookingOn) ? (
        <Waiting />
      ) : rows.length === 0 ? (
        <p className="card centered faint">{words ? t('list.nothing') : t('audit.none')}</p>
      ) : (
        <Table
          rows={rows}
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
  const names = [...new Set([...Object.keys(entry.old ?? {}), ...Object.keys(entry.new ?? {})])]
  if (names.length === 0) return <span className="faint">—</span>
  return (
    <ul className="small">
      {names.map((name) => (
        <li key={name} className="anywhere">
          <span className="faint">{name}:</span> <bdi>{shown(entry.old?.[name])}</bdi> → <bdi>{shown(entry.new?.[name])}</bdi>
        </li>
      ))}
    </ul>
  )
}

function shown(value: unknown): string {
  if (value === null || value === undefined) return '—'
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  return text.length > 120 ? `${text.slice(0, 119)}…` : text
}
