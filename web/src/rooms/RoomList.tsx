import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Link } from 'wouter'
import { type ListedRoom, ownRooms, publicRooms } from '../api/rooms'
import { Name } from '../parts/Name'
import { JoinByName } from './JoinByName'
import { NewRoom } from './NewRoom'
import type { Open } from './RoomsPage'
import { useUnread, useUnreadLetters } from './useUnread'

const NONE: ListedRoom[] = []

export function RoomList({ open }: { open: Open }) {
  const { t } = useTranslation()
  const room = open && 'room' in open ? open.room : null
  const mine = useQuery({ queryKey: ['rooms', 'mine'], queryFn: ownRooms })
  const others = useQuery({ queryKey: ['rooms', 'open'], queryFn: publicRooms })
  const unread = useUnread(mine.data ?? NONE, room)
  const letters = useUnreadLetters()
  const joinable = (others.data ?? NONE).filter((each) => !each.joined)
  return (
    <nav className="roomList" aria-label={t('rooms.title')}>
      <h1 className="hidden">{t('rooms.title')}</h1>
      <ul>
        <li>
          <Place href="/rooms/direct" isHere={open !== null && 'direct' in open} unread={letters}>
            {t('direct.title')}
          </Place>
        </li>
      </ul>
      {mine.data?.length === 0 && <p className="faint small roomHint">{t('rooms.noneHint')}</p>}
      <Group title={t('rooms.mine')} rooms={mine.data ?? NONE} room={room} unread={unread} />
      <Ways />
      <Group title={t('rooms.open')} rooms={joinable} room={room} />
    </nav>
  )
}

/** The ways to a room that is not listed: make one, or join a private one by its name. */
function Ways() {
  const { t } = useTranslation()
  const [way, setWay] = useState<'new' | 'join' | null>(null)
  if (way === 'new') return <NewRoom onDone={() => setWay(null)} />
  if (way === 'join') return <JoinByName onDone={() => setWay(null)} />
  return (
    <div className="ways">
      <button type="button" className="link newRoom" onClick={() => setWay('new')}>
        + {t('rooms.create')}
      </button>
      <button type="button" className="link quiet small" onClick={() => setWay('join')}>
        {t('rooms.joinByName')}
      </button>
    </div>
  )
}

type GroupProps = { title: string; rooms: ListedRoom[]; room: number | null; unread?: Map<number, number> }

function Group({ title, rooms, room, unread }: GroupProps) {
  if (rooms.length === 0) return null
  return (
    <section>
      <h2 className="small faint">{title}</h2>
      <ul>
        {rooms.map((each) => (
          <li key={each.id}>
            <Place href={`/rooms/${each.id}`} isHere={each.id === room} unread={unread?.get(each.id) ?? 0}>
              <Name of={each} />
            </Place>
          </li>
        ))}
      </ul>
    </section>
  )
}

type PlaceProps = { href: string; isHere: boolean; unread: number; children: React.ReactNode }

function Place({ href, isHere, unread, children }: PlaceProps) {
  const { t } = useTranslation()
  return (
    <Link href={href} aria-current={isHere ? 'page' : undefined}>
      <span>{children}</span>
      {unread > 0 && (
        <span className="unread" aria-label={t('rooms.unread', { count: unread })}>
          {unread > 99 ? '99+' : unread}
        </span>
      )}
    </Link>
  )
}
