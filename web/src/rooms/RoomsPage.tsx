import { Button } from '@mantine/core'
import { useEffect } from 'react'
import { useTranslation } from 'react-i18next'
import { Link, useLocation } from 'wouter'
import './rooms.css'
import './messages.css'
import { useSession } from '../api/session'
import { DirectView } from './DirectView'
import { invitationIn, keepInvited, takeInvited } from './invited'
import { RoomList } from './RoomList'
import { RoomView } from './RoomView'

/** The place that is open: a room by its id, direct messages with an account by its id, all of these, or nothing. */
export type Open = { room: number } | { direct: string | null } | null

/** The rooms, and the one that is looked at beside them; on a phone, one or the other. */
export default function RoomsPage({ open }: { open: Open }) {
  const { t } = useTranslation()
  const [, go] = useLocation()
  const isStranger = useSession() === null
  useEffect(() => {
    // Somebody who followed an invitation, and signed in first, goes on to the room.
    const place = isStranger || open !== null ? null : takeInvited()
    if (place) go(place, { replace: true })
  }, [go, isStranger, open])
  if (isStranger) return <Stranger />
  return (
    <main className="column wide">
      <div className={`card rooms${open === null ? '' : ' inRoom'}`}>
        <RoomList open={open} />
        {open === null ? (
          <section className="talk centered faint">
            <p>{t('rooms.choose')}</p>
          </section>
        ) : 'room' in open ? (
          <RoomView id={open.room} key={open.room} />
        ) : (
          <DirectView account={open.direct} key={open.direct} />
        )}
      </div>
    </main>
  )
}

function Stranger() {
  const { t } = useTranslation()
  const isInvited = invitationIn(location.hash) !== null
  return (
    <main className="column">
      <section className="card centered">
        <h1>{isInvited ? t('rooms.invited') : t('rooms.title')}</h1>
        <p className="faint">{isInvited ? t('rooms.invitedHint') : t('rooms.noneHint')}</p>
        <Button component={Link} href="/sign-in?to=rooms" onClick={keepInvited}>
          {t('rooms.signIn')}
        </Button>
      </section>
    </main>
  )
}
