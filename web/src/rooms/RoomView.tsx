import { Button, PasswordInput } from '@mantine/core'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { type FormEvent, type ReactNode, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Link, useLocation } from 'wouter'
import { joinRoom, leaveRoom, postMessage, readRoom, type Room } from '../api/rooms'
import { duration } from '../format'
import { useExplain } from '../i18n'
import { Messages } from './Messages'
import { useTalk } from './useTalk'

export function RoomView({ id }: { id: number }) {
  const { t } = useTranslation()
  const explain = useExplain()
  const { data: room, error } = useQuery({ queryKey: ['room', id], queryFn: () => readRoom(id) })
  return (
    <section className="talk">
      {room ? room.role ? <Talking room={room} /> : <Joining room={room} /> : <p className="centered faint">{error ? explain(error) : t('receive.opening')}</p>}
    </section>
  )
}

function Head({ room, children }: { room: Room; children: ReactNode }) {
  const { t, i18n } = useTranslation()
  return (
    <header className="talkHead">
      <Link href="/rooms" className="link small toRooms">
        ← {t('rooms.back')}
      </Link>
      <h2>{room.name}</h2>
      <span className="figures">
        {t('rooms.lives', { time: duration(room.lifetime_seconds * 1000, i18n.language) })} · {t('rooms.members', { count: room.members })}
      </span>
      {children}
    </header>
  )
}

function Talking({ room }: { room: Room }) {
  const { t } = useTranslation()
  const explain = useExplain()
  const queries = useQueryClient()
  const [, go] = useLocation()
  const talk = useTalk(room.id)
  const [text, setText] = useState('')
  const [wrong, setWrong] = useState<string | null>(null)

  async function post(event: FormEvent) {
    event.preventDefault()
    const said = text.trim()
    if (!said) return
    setText('')
    setWrong(null)
    try {
      await postMessage(room.id, said)
    } catch (error) {
      // What was written is not lost.
      setText((typed) => typed || said)
      setWrong(explain(error))
    }
  }

  async function leave() {
    try {
      await leaveRoom(room.id)
      await queries.invalidateQueries()
      go('/rooms')
    } catch (error) {
      setWrong(explain(error))
    }
  }

  return (
    <>
      <Head room={room}>
        <span className="talkState">
          <span role="status" className={talk.isLive ? 'isLive' : 'faint'}>
            {talk.isLive ? `● ${t('rooms.live')}` : t('rooms.connecting')}
          </span>
          <button type="button" className="link quiet small" onClick={() => void leave()}>
            {t('rooms.leave')}
          </button>
        </span>
      </Head>
      <Messages room={room} messages={talk.messages} onWrong={setWrong} />
      {(wrong ?? talk.problem) && (
        <p role="alert" className="notice bad small">
          {wrong ?? explain(talk.problem)}
        </p>
      )}
      <form className="post" onSubmit={(event) => void post(event)}>
        <input
          value={text}
          aria-label={t('rooms.message')}
          placeholder={t('rooms.message')}
          autoComplete="off"
          enterKeyHint="send"
          onChange={(event) => setText(event.target.value)}
        />
        <Button type="submit" size="lg" disabled={text.trim() === ''}>
          {t('rooms.send')}
        </Button>
      </form>
    </>
  )
}

function Joining({ room }: { room: Room }) {
  const { t } = useTranslation()
  const explain = useExplain()
  const queries = useQueryClient()
  const [password, setPassword] = useState('')
  const [wrong, setWrong] = useState<string | null>(null)

  async function join(event: FormEvent) {
    event.preventDefault()
    try {
      await joinRoom(room.id, password)
      await queries.invalidateQueries()
    } catch (error) {
      setWrong(explain(error))
    }
  }

  return (
    <>
      <Head room={room}>{null}</Head>
      <form className="centered" onSubmit={(event) => void join(event)}>
        {room.has_password && (
          <PasswordInput label={t('rooms.password')} value={password} onChange={(event) => setPassword(event.target.value)} />
        )}
        <Button type="submit">{t('rooms.join')}</Button>
        {wrong && (
          <p role="alert" className="notice bad">
            {wrong}
          </p>
        )}
      </form>
    </>
  )
}
