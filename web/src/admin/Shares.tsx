import { Button, Textarea, TextInput } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { actOnShares, editShare } from '../api/admin'
import type { AdministeredShare, BatchRequest, ShareEdit } from '../api/types'
import { size } from '../format'
import { asField, asMoment } from '../mine/moments'
import { Dialog } from '../parts/Dialog'
import { Wrong } from '../parts/Wrong'
import { Ask } from './Ask'
import { Listing } from './Listing'
import { Moment } from './Moment'
import { Owner } from './Owner'

const WEEK_SECONDS = 7 * 86_400
/** No more of the shares that a search finds are counted. */
const COUNTED = 100_000

export function Shares() {
  const { t, i18n } = useTranslation('admin')
  const queries = useQueryClient()
  const [edited, setEdited] = useState<AdministeredShare | null>(null)
  const [ending, setEnding] = useState<{ ids: string[]; done: () => void } | null>(null)
  const again = () => queries.invalidateQueries({ queryKey: ['admin', 'shares'] })
  const act = useMutation({ mutationFn: (wanted: BatchRequest) => actOnShares(wanted), onSettled: again })
  return (
    <>
      <Wrong error={act.error} />
      <Listing<AdministeredShare>
        name="shares"
        search={t('shares.search')}
        count={(count, isSearch) => t(isSearch && count >= COUNTED ? 'shares.atLeast' : 'shares.count', { count })}
        empty={t('shares.none')}
        idOf={({ id }) => id}
        nameOf={({ code, name }) => `${code} ${name}`}
        filters={[
          {
            key: 'status',
            label: t('shares.anyState'),
            values: [
              { value: 'active', label: t('shares.active') },
              { value: 'expired', label: t('shares.expired') },
            ],
          },
          {
            key: 'form',
            label: t('shares.anyForm'),
            values: (['code', 'link', 'page'] as const).map((value) => ({ value, label: t(`shares.form.${value}`) })),
          },
        ]}
        columns={[
          {
            name: t('shares.what'),
            cell: (share) => (
              <div className="name">
                <bdi>{share.name}</bdi>
              </div>
            ),
          },
          {
            name: t('shares.code'),
            cell: (share) =>
              share.url ? (
                <a className="code" href={share.url} translate="no">
                  {share.code}
                </a>
              ) : (
                <span className="code">{share.code}</span>
              ),
          },
          { name: t('list.owner'), cell: (share) => <Owner id={share.owner} /> },
          { name: t('list.size'), sort: 'size', isNumber: true, cell: (share) => size(share.size, i18n.language) },
          { name: t('shares.downloads'), sort: 'downloads', isNumber: true, cell: (share) => share.downloads },
          { name: t('list.created'), sort: 'created_at', cell: (share) => <Moment at={share.created_at} /> },
          { name: t('shares.until'), sort: 'expires_at', cell: (share) => <Moment at={share.expires_at} never={t('shares.forever')} /> },
        ]}
        actions={(share) => (
          <button type="button" className="link small" aria-label={t('list.editNamed', { name: share.code })} onClick={() => setEdited(share)}>
            {t('edit')}
          </button>
        )}
        batch={(rows, done) => {
          const ids = rows.map(({ id }) => id)
          return (
            <>
              <button type="button" className="link small" onClick={() => act.mutate({ ids, act: 'extend', seconds: WEEK_SECONDS }, { onSuccess: done })}>
                {t('shares.week')}
              </button>
              <button type="button" className="link small" onClick={() => act.mutate({ ids, act: 'new_code' }, { onSuccess: done })}>
                {t('shares.newCode')}
              </button>
              <button type="button" className="link small danger" onClick={() => setEnding({ ids, done })}>
                {t('shares.end')}
              </button>
            </>
          )
        }}
      />
      {edited && <EditShare share={edited} onClose={() => setEdited(null)} onSaved={() => void again()} />}
      {ending && (
        <Ask
          title={t('shares.endReally', { count: ending.ids.length })}
          act={t('shares.end')}
          onClose={() => setEnding(null)}
          onAct={async () => {
            await actOnShares({ ids: ending.ids, act: 'end' })
            ending.done()
            await again()
          }}
        >
          <p>{t('shares.endHint')}</p>
        </Ask>
      )}
    </>
  )
}

function EditShare({ share, onClose, onSaved }: { share: AdministeredShare; onClose: () => void; onSaved: () => void }) {
  const { t } = useTranslation('admin')
  const [name, setName] = useState(share.name)
  const [until, setUntil] = useState(asField(share.expires_at))
  const [left, setLeft] = useState(String(share.downloads_left ?? ''))
  const [code, setCode] = useState(share.code)
  const [note, setNote] = useState(share.note)
  const [tags, setTags] = useState(share.tags.join(', '))
  const save = useMutation({
    mutationFn: () => editShare(share.id, changes()),
    onSuccess: () => {
      onSaved()
      onClose()
    },
  })
  function changes(): ShareEdit {
    return {
      ...(name !== share.name && { name }),
      ...(until !== asField(share.expires_at) && { expires_at: asMoment(until) }),
      ...(left !== String(share.downloads_left ?? '') && { downloads_left: left === '' ? null : Number(left) }),
      ...(code !== share.code && { code }),
      ...(note !== share.note && { note }),
      ...(tags !== share.tags.join(', ') && { tags: tags.split(',').flatMap((tag) => tag.trim() || []) }),
    }
  }
  return (
    <Dialog title={share.code} onClose={onClose}>
      <form
        className="form"
        onSubmit={(event) => {
          event.preventDefault()
          save.mutate()
        }}
      >
        <TextInput label={t('list.name')} value={name} maxLength={1024} onChange={(event) => setName(event.target.value)} />
        {share.form === 'code' && (
          <TextInput label={t('shares.code')} value={code} maxLength={64} autoComplete="off" spellCheck={false} onChange={(event) => setCode(event.target.value)} />
        )}
        <div className="pair">
          <TextInput type="datetime-local" label={t('shares.until')} description={t('shares.untilHint')} value={until} onChange={(event) => setUntil(event.target.value)} />
          <TextInput type="number" min={1} label={t('shares.left')} description={t('shares.leftHint')} value={left} onChange={(event) => setLeft(event.target.value)} />
        </div>
        <Textarea label={t('shares.note')} description={t('shares.noteHint')} rows={2} value={note} onChange={(event) => setNote(event.target.value)} />
        <TextInput label={t('shares.tags')} value={tags} onChange={(event) => setTags(event.target.value)} />
        <Wrong error={save.error} />
        <div className="buttons">
          <Button type="submit" loading={save.isPending} disabled={name === ''}>
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
