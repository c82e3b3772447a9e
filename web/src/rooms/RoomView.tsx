import { useQuery } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'
import { Link } from 'wouter'
import { Problem } from '../api/problem'
import { readRoom } from '../api/rooms'
import { useExplain } from '../i18n'
import { invitationIn } from './invited'
import { Joining } from './Joining'
import { Talking } from './Talking'

export function RoomView({ id }: { id: number }) {
  const { t } = useTranslation()
  const explain = useExplain()
  const { data: room, error } = useQuery({ queryKey: ['room', id], queryFn: () => readRoom(id) })
  const invitation = invitationIn(location.hash)
  // A private room tells nobody but its members that it exists.
  const isHidden = error instanceof Problem && error.status === 404
  return (
    <section className="talk">
      {room?.role ? (
        <Talking room={room} />
      ) : room || isHidden ? (
        <Joining id={id} room={room ?? null} invitation={invitation} />
      ) : (
        <div className="centered faint">
          <p>{error ? explain(error) : t('receive.opening')}</p>
          {error && (
            <Link href="/rooms" className="link">
              {t('rooms.back')}
            </Link>
          )}
        </div>
      )}
    </section>
  )
}
