import { Button, TextInput } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { deleteFile, listFiles, type OwnedFile, renameFile } from '../api/files'
import { ending, moment, size } from '../format'
import { Dialog } from '../parts/Dialog'
import { useRemoval } from '../parts/useRemoval'
import { usePages } from '../parts/usePages'
import { Waiting } from '../parts/Waiting'
import { Wrong } from '../parts/Wrong'
import { MirrorChoice } from './MirrorChoice'
import { Replicas } from './Replicas'
import { hasWords } from './ShareRow'

const KEY = ['files']

/** The files of the account, and where they are copied to. */
export function Files() {
  const { t } = useTranslation('own')
  const queries = useQueryClient()
  const [words, setWords] = useState('')
  const [shown, setShown] = useState<OwnedFile | null>(null)
  const removal = useRemoval<string>()
  const found = usePages(KEY, listFiles, words.trim() !== '')
  const again = () => void queries.invalidateQueries({ queryKey: KEY })
  const files = found.rows.filter((file) => !removal.isGone(file.id) && hasWords(words, file.name))

  function removeSoon(file: OwnedFile) {
    setShown(null)
    removal.remove([file.id], t('files.deleted', { name: file.name }), () => deleteFile(file.id).finally(again))
  }

  if (found.isPending) return <Waiting />
  return (
    <>
      <TextInput type="search" aria-label={t('search')} placeholder={t('search')} value={words} onChange={(event) => setWords(event.target.value)} />
      <Wrong error={removal.wrong ?? found.error} />
      {files.length === 0 && !found.isLookingOn ? (
        <section className="card centered">
          <h2>{words ? t('nothing') : t('files.none')}</h2>
          {!words && <p className="faint">{t('files.noneHint')}</p>}
        </section>
      ) : (
        <ul className="card list">
          {files.map((file) => (
            <FileRow key={file.id} file={file} onShow={() => setShown(file)} onDelete={() => removeSoon(file)} />
          ))}
        </ul>
      )}
      {found.hasNextPage && (
        <Button variant="default" loading={found.isFetchingNextPage} onClick={() => void found.fetchNextPage()}>
          {t('more')}
        </Button>
      )}
      <MirrorChoice />
      {shown && <FileDialog file={shown} onClose={() => setShown(null)} onChanged={again} />}
    </>
  )
}

function FileRow({ file, onShow, onDelete }: { file: OwnedFile; onShow: () => void; onDelete: () => void }) {
  const { t, i18n } = useTranslation('own')
  return (
    <li className="item wraps">
      <span className="tile" aria-hidden="true">
        {ending(file.name) || '•'}
      </span>
      <div className="itemBody">
        <p className="itemName">{file.name}</p>
        <p className="figures">
          {size(file.size, i18n.language)} · {moment(file.created_at, i18n.language)}
          {file.state !== 'ready' && ` · ${t(`files.${file.state}`)}`}
        </p>
      </div>
      <div className="buttons rowActions">
        <button type="button" className="link small" aria-label={t('files.moreOf', { name: file.name })} onClick={onShow}>
          {t('files.details')}
        </button>
        <button type="button" className="link small" aria-label={t('files.deleteNamed', { name: file.name })} onClick={onDelete}>
          {t('delete')}
        </button>
      </div>
    </li>
  )
}

function FileDialog({ file, onClose, onChanged }: { file: OwnedFile; onClose: () => void; onChanged: () => void }) {
  const { t } = useTranslation('own')
  const [name, setName] = useState(file.name)
  const save = useMutation({ mutationFn: () => renameFile(file.id, name.trim()), onSuccess: onChanged })
  return (
    <Dialog title={file.name} onClose={onClose}>
      <form
        className="form"
        onSubmit={(event) => {
          event.preventDefault()
          save.mutate()
        }}
      >
        <div className="oneLine">
          <TextInput label={t('files.name')} value={name} maxLength={1024} onChange={(event) => setName(event.target.value)} />
          <Button type="submit" variant="default" loading={save.isPending} disabled={name.trim() === '' || name === file.name}>
            {t('files.rename')}
          </Button>
        </div>
        {save.isSuccess && <p role="status">✓ {t('files.renamed')}</p>}
        <Wrong error={save.error} />
        {file.sha256 && (
          <p className="small faint">
            SHA-256{' '}
            <code className="anywhere" dir="ltr">
              {file.sha256}
            </code>
          </p>
        )}
      </form>
      <Replicas file={file} />
    </Dialog>
  )
}
