import type { ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { Link } from 'wouter'
import type { Room } from '../api/rooms'
import { duration } from '../format'
import { Name } from '../parts/Name'

/** `online`: how many are here now; null if that is not known. */
export function RoomHead({ room, online, children }: { room: Room | null; online: number | null; children?: ReactNode }) {
  const { t, i18n } = useTranslation()
  return (
    <header className="talkHead">
      <Link href="/rooms" className="link small toRooms">
        ← {t('rooms.back')}
      </Link>
      <h2>{room ? <Name of={room} /> : t('rooms.private')}</h2>
      {room && (
        <span className="figures">
          {t('rooms.lives', { time: duration(room.lifetime_seconds * 1000, i18n.language) })} ·{' '}
          {online === null ? t('rooms.members', { count: room.members }) : t('rooms.here', { count: online })}
        </span>
      )}
      {children}
    </header>
  )
}
