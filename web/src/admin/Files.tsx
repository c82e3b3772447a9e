import { Button, TextInput } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { type AnyFile, deleteFiles, renameFile } from '../api/admin'
import { size } from '../format'
import { Dialog } from '../parts/Dialog'
import { Wrong } from '../parts/Wrong'
import { Ask } from './Ask'
import { Listing } from './Listing'
import { Moment } from './Moment'
import { Owner } from './Owner'
import { ReplicaCounts } from './ReplicaCounts'

const SIZES = [1e6, 1e8, 1e9, 1e10]

export function Files() {
  const { t, i18n } = useTranslation('admin')
  const queries = useQueryClient()
  const [edited, setEdited] = useState<AnyFile | null>(null)
  const [ending, setEnding] = useState<{ ids: string[]; done: () => void } | null>(null)
  const again = () => queries.invalidateQueries({ queryKey: ['admin', 'files'] })
  return (
    <>
      <Listing<AnyFile>
        name="files"
        search={t('files.search')}
        count={(count) => t('files.count', { count })}
        empty={t('files.none')}
        idOf={({ id }) => id}
        nameOf={({ name }) => name}
        filters={[
          {
            key: 'state',
            label: t('files.anyState'),
            values: (['ready', 'pending', 'corrupt'] as const).map((value) => ({ value, label: t(`files.${value}`) })),
          },
          {
            key: 'larger_than',
            label: t('files.anySize'),
            values: SIZES.map((bytes) => ({ value: String(bytes), label: t('files.over', { size: size(bytes, i18n.language) }) })),
          },
        ]}
        columns={[
          {
            name: t('list.name'),
            cell: (file) => (
              <div className="name" title={file.sha256 ?? undefined}>
                <bdi>{file.name}</bdi>
              </div>
            ),
          },
          { name: t('list.owner'), cell: (file) => <Owner id={file.owner} /> },
          { name: t('list.size'), sort: 'size', isNumber: true, cell: (file) => size(file.size, i18n.language) },
          {
            name: t('list.state'),
            cell: (file) => <span className={`pill${file.state === 'corrupt' ? ' bad' : file.state === 'ready' ? ' good' : ''}`}>{t(`files.${file.state}`)}</span>,
          },
          { name: t('files.copies'), cell: (file) => <ReplicaCounts counts={file.replicas} /> },
          { name: t('list.created'), sort: 'created_at', cell: (file) => <Moment at={file.created_at} /> },
        ]}
        actions={(file) => (
          <>
            <button type="button" className="link small" aria-label={t('files.renameNamed', { name: file.name })} onClick={() => setEdited(file)}>
              {t('files.rename')}
            </button>
            <button
              type="button"
              className="link small danger"
              aria-label={t('files.deleteNamed', { name: file.name })}
              onClick={() => setEnding({ ids: [file.id], done: () => undefined })}
            >
              {t('delete')}
            </button>
          </>
        )}
        batch={(rows, done) => (
          <button type="button" className="link small danger" onClick={() => setEnding({ ids: rows.map(({ id }) => id), done })}>
            {t('delete')}
          </button>
        )}
      />
      {edited && <Rename file={edited} onClose={() => setEdited(null)} onSaved={() => void again()} />}
      {ending && (
        <Ask
          title={t('files.deleteReally', { count: ending.ids.length })}
          act={t('delete')}
          onClose={() => setEnding(null)}
          onAct={async () => {
            await deleteFiles(ending.ids)
            ending.done()
            await again()
          }}
        >
          <p>{t('files.deleteHint')}</p>
        </Ask>
      )}
    </>
  )
}

function Rename({ file, onClose, onSaved }: { file: AnyFile; onClose: () => void; onSaved: () => void }) {
  const { t } = useTranslation('admin')
  const [name, setName] = useState(file.name)
  const save = useMutation({
    mutationFn: () => renameFile(file.id, name.trim()),
    onSuccess: () => {
      onSaved()
      onClose()
    },
  })
  return (
    <Dialog title={t('files.rename')} onClose={onClose}>
      <form
        className="form"
        onSubmit={(event) => {
          event.preventDefault()
          save.mutate()
        }}
      >
        <TextInput label={t('list.name')} value={name} maxLength={1024} onChange={(event) => setName(event.target.value)} />
        <Wrong error={save.error} />
        <div className="buttons">
          <Button type="submit" loading={save.isPending} disabled={name.trim() === ''}>
            {t('save')}
          </Button>
          <Button variant="default" onClick={onClose}>
            {t('cancel')}
          </Button>
        </div>
      </form>
    </Dialog>
  )
}
