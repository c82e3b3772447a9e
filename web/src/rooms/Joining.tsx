import { Button, PasswordInput } from '@mantine/core'
import { useQueryClient } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { joinRoom, type Room } from '../api/rooms'
import { useExplain } from '../i18n'
import { RoomHead } from './RoomHead'

type Props = { id: number; room: Room | null; invitation: string | null }

/** A room that the reader is not in. Of a private one nothing is known here. */
export function Joining({ id, room, invitation }: Props) {
  const { t } = useTranslation()
  const explain = useExplain()
  const queries = useQueryClient()
  const [password, setPassword] = useState('')
  const [wrong, setWrong] = useState<string | null>(null)
  const [isBusy, setBusy] = useState(false)
  const needsPassword = room === null && invitation === null

  async function join(event: FormEvent) {
    event.preventDefault()
    // Enter sends a form whose button is busy.
    if (isBusy) return
    setBusy(true)
    setWrong(null)
    try {
      await joinRoom(id, room ? {} : invitation ? { invitation } : { password })
      // The invitation is used up, and a reload needs none.
      history.replaceState(history.state, '', location.pathname)
      await queries.invalidateQueries()
    } catch (error) {
      setWrong(explain(error))
    } finally {
      setBusy(false)
    }
  }

  return (
    <>
      <RoomHead room={room} online={null} />
      <form className="centered joining" onSubmit={(event) => void join(event)}>
        <p className="faint">{room ? t('rooms.joinHint') : invitation ? t('rooms.invitedHere') : t('rooms.hidden')}</p>
        {needsPassword && (
          <PasswordInput
            label={t('rooms.password')}
            autoComplete="off"
            value={password}
            onChange={(event) => setPassword(event.target.value)}
          />
        )}
        <Button type="submit" loading={isBusy} disabled={needsPassword && password === ''}>
          {t('rooms.join')}
        </Button>
        {wrong && (
          <p role="alert" className="notice bad">
            {wrong}
          </p>
        )}
      </form>
    </>
  )
}
