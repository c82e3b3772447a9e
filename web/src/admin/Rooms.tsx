import { Button, TextInput } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { type AnyRoom, closeRoom, editRoom } from '../api/admin'
import { Dialog } from '../parts/Dialog'
import { Wrong } from '../parts/Wrong'
import { Ask } from './Ask'
import { Listing } from './Listing'
import { Moment } from './Moment'
import { Owner } from './Owner'

/** Every room, but nothing of what is said in it. */
export function Rooms() {
  const { t } = useTranslation('admin')
  const queries = useQueryClient()
  const [edited, setEdited] = useState<AnyRoom | null>(null)
  const [closing, setClosing] = useState<AnyRoom | null>(null)
  const again = () => queries.invalidateQueries({ queryKey: ['admin', 'rooms'] })
  return (
    <>
      <Listing<AnyRoom>
        name="rooms"
        search={t('rooms.search')}
        count={(count) => t('rooms.count', { count })}
        empty={t('rooms.none')}
        idOf={({ id }) => String(id)}
        nameOf={({ name }) => name}
        filters={[
          {
            key: 'kind',
            label: t('rooms.anyKind'),
            values: (['public', 'private'] as const).map((value) => ({ value, label: t(`rooms.${value}`) })),
          },
        ]}
        columns={[
          {
            name: t('list.name'),
            sort: 'name',
            cell: (room) => (
              <div className="name">
                <bdi>{room.name}</bdi>
              </div>
            ),
          },
          { name: t('rooms.kind'), cell: (room) => t(`rooms.${room.kind}`) },
          { name: t('list.owner'), cell: (room) => <Owner id={room.owner} /> },
          { name: t('rooms.members'), isNumber: true, cell: (room) => room.members },
          { name: t('rooms.messages'), isNumber: true, cell: (room) => `${room.messages} / ${room.capacity}` },
          { name: t('rooms.last'), cell: (room) => <Moment at={room.last_message_at} /> },
        ]}
        actions={(room) => (
          <>
            <button type="button" className="link small" aria-label={t('list.editNamed', { name: room.name })} onClick={() => setEdited(room)}>
              {t('edit')}
            </button>
            <button type="button" className="link small danger" aria-label={t('rooms.closeNamed', { name: room.name })} onClick={() => setClosing(room)}>
              {t('rooms.close')}
            </button>
          </>
        )}
      />
      {edited && <EditRoom room={edited} onClose={() => setEdited(null)} onSaved={() => void again()} />}
      {closing && (
        <Ask
          title={t('rooms.closeReally', { name: closing.name })}
          act={t('rooms.close')}
          onClose={() => setClosing(null)}
          onAct={() => closeRoom(closing.id).then(again)}
        >
          <p>{t('rooms.closeHint')}</p>
        </Ask>
      )}
    </>
  )
}

function EditRoom({ room, onClose, onSaved }: { room: AnyRoom; onClose: () => void; onSaved: () => void }) {
  const { t } = useTranslation('admin')
  const [name, setName] = useState(room.name)
  const [capacity, setCapacity] = useState(String(room.capacity))
  const [minutes, setMinutes] = useState(String(room.lifetime_seconds / 60))
  const save = useMutation({
    mutationFn: () =>
      editRoom(room.id, {
        ...(name !== room.name && { name: name.trim() }),
        ...(Number(capacity) !== room.capacity && { capacity: Number(capacity) }),
        ...(Number(minutes) * 60 !== room.lifetime_seconds && { lifetime_seconds: Math.round(Number(minutes) * 60) }),
      }),
    onSuccess: () => {
      onSaved()
      onClose()
    },
  })
  return (
    <Dialog title={t('rooms.edit')} onClose={onClose}>
      <form
        className="form"
        onSubmit={(event) => {
          event.preventDefault()
          save.mutate()
        }}
      >
        <TextInput label={t('list.name')} value={name} onChange={(event) => setName(event.target.value)} />
        <div className="pair">
          <TextInput type="number" min={1} label={t('rooms.capacity')} value={capacity} onChange={(event) => setCapacity(event.target.value)} />
          <TextInput type="number" min={1} step="any" label={t('rooms.lifetime')} value={minutes} onChange={(event) => setMinutes(event.target.value)} />
        </div>
        <Wrong error={save.error} />
        <div className="buttons">
          <Button type="submit" loading={save.isPending} disabled={name.trim() === '' || !Number(capacity) || !Number(minutes)}>
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
