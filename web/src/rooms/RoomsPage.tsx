import { Button } from '@mantine/core'
import { useTranslation } from 'react-i18next'
import { Link } from 'wouter'
import './rooms.css'
import { useSession } from '../api/session'
import { RoomList } from './RoomList'
import { RoomView } from './RoomView'

/** The rooms, and the one that is looked at beside them; on a phone, one or the other. */
export default function RoomsPage({ room }: { room: number | null }) {
  const { t } = useTranslation()
  if (useSession() === null) return <Stranger />
  return (
    <main className="column wide">
      <div className={`card rooms${room === null ? '' : ' inRoom'}`}>
        <RoomList room={room} />
        {room === null ? (
          <section className="talk centered faint">
            <p>{t('rooms.choose')}</p>
          </section>
        ) : (
          <RoomView id={room} key={room} />
        )}
      </div>
    </main>
  )
}

function Stranger() {
  const { t } = useTranslation()
  return (
    <main className="column">
      <section className="card centered">
        <h1>{t('rooms.title')}</h1>
        <p className="faint">{t('rooms.noneHint')}</p>
        <Button component={Link} href="/sign-in?to=rooms">
          {t('rooms.signIn')}
        </Button>
      </section>
    </main>
  )
}
