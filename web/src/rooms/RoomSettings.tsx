import { Button, NativeSelect, PasswordInput, Switch, TextInput } from '@mantine/core'
import { useQueryClient } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { changeRoom, type Room } from '../api/rooms'
import type { RoomChangesRequest } from '../api/types'
import { duration } from '../format'
import { useExplain } from '../i18n'
import { LIVES } from './NewRoom'

const HOLDS = [86_400, 604_800, 2_592_000]

/** For the owner: the name of a room and how long its messages live; of a private one, its password and what a removal holds. */
export function RoomSettings({ room }: { room: Room }) {
  const { t, i18n } = useTranslation()
  const explain = useExplain()
  const queries = useQueryClient()
  const [isOpen, setOpen] = useState(false)
  const [name, setName] = useState(room.name)
  const [life, setLife] = useState(room.lifetime_seconds)
  const [password, setPassword] = useState('')
  const [endsInvitations, setEndsInvitations] = useState(room.bans_end_invitations)
  const [hold, setHold] = useState(room.bans_hold_address_seconds)
  const [wrong, setWrong] = useState<string | null>(null)
  if (!isOpen) {
    return (
      <button type="button" className="link quiet small" onClick={() => setOpen(true)}>
        {t('rooms.settings')}
      </button>
    )
  }

  /** Usual times, and the one that the room has. */
  const choices = (usual: readonly number[], present: number | null) =>
    [...new Set([...usual, ...(present === null ? [] : [present])])]
      .sort((one, other) => one - other)
      .map((seconds) => ({ value: String(seconds), label: duration(seconds * 1000, i18n.language) }))

  async function save(changes: RoomChangesRequest) {
    try {
      await changeRoom(room.id, changes)
      await queries.invalidateQueries()
      setOpen(false)
    } catch (error) {
      setWrong(explain(error))
    }
  }

  function submit(event: FormEvent) {
    event.preventDefault()
    // Only what was changed: another owner's tab may have changed the rest meanwhile.
    void save({
      ...(name.trim() !== room.name && { name: name.trim() }),
      ...(life !== room.lifetime_seconds && { lifetime_seconds: life }),
      ...(password && { password }),
      ...(endsInvitations !== room.bans_end_invitations && { bans_end_invitations: endsInvitations }),
      ...(hold !== room.bans_hold_address_seconds && { bans_hold_address_seconds: hold }),
    })
  }

  return (
    <form className="form roomSettings" onSubmit={submit}>
      <TextInput label={t('rooms.name')} value={name} onChange={(event) => setName(event.target.value)} />
      <NativeSelect
        label={t('rooms.life')}
        value={life}
        data={choices(LIVES, room.lifetime_seconds)}
        onChange={(event) => setLife(Number(event.target.value))}
      />
      {room.is_private && (
        <PasswordInput
          label={room.has_password ? t('rooms.otherPassword') : t('rooms.newPassword')}
          autoComplete="new-password"
          value={password}
          onChange={(event) => setPassword(event.target.value)}
        />
      )}
      {room.is_private && (
        <>
          <Switch label={t('rooms.bansEnd')} checked={endsInvitations} onChange={(event) => setEndsInvitations(event.target.checked)} />
          <NativeSelect
            label={t('rooms.bansHold')}
            description={t('rooms.bansHoldHint')}
            value={hold ?? ''}
            data={[{ value: '', label: t('rooms.bansHoldNone') }, ...choices(HOLDS, hold)]}
            onChange={(event) => setHold(Number(event.target.value) || null)}
          />
        </>
      )}
      {room.has_password && (
        <button type="button" className="link quiet small" onClick={() => void save({ password: null })}>
          {t('rooms.noPassword')}
        </button>
      )}
      {wrong && (
        <p role="alert" className="notice bad small">
          {wrong}
        </p>
      )}
      <div className="buttons">
        <Button type="submit">{t('rooms.save')}</Button>
        <Button variant="default" onClick={() => setOpen(false)}>
          {t('send.cancel')}
        </Button>
      </div>
    </form>
  )
}
