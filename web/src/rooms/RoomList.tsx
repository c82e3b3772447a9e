import { Button, Switch, TextInput } from '@mantine/core'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Link, useLocation } from 'wouter'
import { createRoom, type ListedRoom, ownRooms, publicRooms } from '../api/rooms'
import { useExplain } from '../i18n'

export function RoomList({ room }: { room: number | null }) {
  const { t } = useTranslation()
  const mine = useQuery({ queryKey: ['rooms', 'mine'], queryFn: ownRooms })
  const open = useQuery({ queryKey: ['rooms', 'open'], queryFn: publicRooms })
  const others = (open.data ?? []).filter((each) => !each.joined)
  const isEmpty = mine.data?.length === 0 && open.isSuccess && others.length === 0
  return (
    <nav className="roomList" aria-label={t('rooms.title')}>
      <h1 className="hidden">{t('rooms.title')}</h1>
      {isEmpty && <p className="faint small roomHint">{t('rooms.noneHint')}</p>}
      <Group title={t('rooms.mine')} rooms={mine.data ?? []} room={room} />
      <NewRoom />
      <Group title={t('rooms.open')} rooms={others} room={room} />
    </nav>
  )
}

function Group({ title, rooms, room }: { title: string; rooms: ListedRoom[]; room: number | null }) {
  if (rooms.length === 0) return null
  return (
    <section>
      <h2 className="small faint">{title}</h2>
      <ul>
        {rooms.map(({ id, name }) => (
          <li key={id}>
            <Link href={`/rooms/${id}`} aria-current={id === room ? 'page' : undefined}>
              {name}
            </Link>
          </li>
        ))}
      </ul>
    </section>
  )
}

function NewRoom() {
  const { t } = useTranslation()
  const explain = useExplain()
  const queries = useQueryClient()
  const [, go] = useLocation()
  const [name, setName] = useState<string | null>(null)
  const [isPrivate, setPrivate] = useState(false)
  const [wrong, setWrong] = useState<string | null>(null)

  async function create(event: FormEvent) {
    event.preventDefault()
    try {
      const { id } = await createRoom((name ?? '').trim(), isPrivate)
      await queries.invalidateQueries({ queryKey: ['rooms'] })
      setName(null)
      go(`/rooms/${id}`)
    } catch (error) {
      setWrong(explain(error))
    }
  }

  if (name === null) {
    return (
      <button type="button" className="link newRoom" onClick={() => setName('')}>
        + {t('rooms.create')}
      </button>
    )
  }
  return (
    <form className="form newRoomForm" onSubmit={(event) => void create(event)}>
      <TextInput autoFocus label={t('rooms.name')} value={name} error={wrong} onChange={(event) => setName(event.target.value)} />
      <Switch label={t('rooms.private')} checked={isPrivate} onChange={(event) => setPrivate(event.target.checked)} />
      <div className="buttons">
        <Button type="submit" disabled={name.trim() === ''}>
          {t('rooms.create')}
        </Button>
        <Button variant="default" onClick={() => setName(null)}>
          {t('send.cancel')}
        </Button>
      </div>
    </form>
  )
}
