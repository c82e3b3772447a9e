import { useCallback, useEffect, useRef, useState } from 'react'
import { insist } from '../api/events'
import type { Problem } from '../api/problem'
import { type Message, readMessages } from '../api/rooms'
import { after, merged, renewed, type RoomEvent, SILENCE, type Talk } from './events'
import { live } from './live'

export type Live = Talk & { isLive: boolean; problem: Problem | null }

const TYPING_EVERY = 2500
const ABOUT_MEMBERS = new Set(['joined', 'left', 'removed', 'muted', 'room'])

type Talking = {
  talk: Live
  /** Say that one is typing, if that was not said just now. */
  typing: () => void
  /** Show a message that was just posted or changed, without waiting for the event. */
  show: (message: Message) => void
}

/** The talk in a room, live. What was missed while the connection was lost comes with the next, or is read again. */
export function useTalk(room: number, onMembers: () => void): Talking {
  const [talk, setTalk] = useState<Live>({ ...SILENCE, isLive: false, problem: null })
  const voice = useRef<(() => void) | null>(null)
  const said = useRef(0)

  useEffect(() => {
    const stop = new AbortController()
    const tell = (change: (before: Live) => Partial<Live>) => {
      if (!stop.signal.aborted) setTalk((before) => ({ ...before, ...change(before) }))
    }
    let hasRead = false
    const readAll = async () => {
      const messages = await insist(() => readMessages(room), stop.signal)
      hasRead = true
      tell((before) => ({ messages: renewed(before.messages, messages) }))
    }
    async function hear(event: RoomEvent) {
      if (event.type === 'reset') await readAll()
      if (ABOUT_MEMBERS.has(event.type)) onMembers()
      tell((before) => after(before, event, Date.now()))
    }
    async function follow() {
      const told = {
        signal: stop.signal,
        onVoice: (say: (() => void) | null) => (voice.current = say),
        onOpen: (isResumed: boolean) => {
          tell(() => ({ isLive: true }))
          if (!isResumed || !hasRead) void readAll().catch(() => undefined)
        },
        onLost: () => tell(() => ({ isLive: false })),
      }
      for await (const frame of live(room, told)) for (const event of frame) await hear(event)
    }
    follow().catch((problem: Problem) => tell(() => ({ problem, isLive: false })))
    return () => stop.abort()
  }, [room, onMembers])

  const typing = useCallback(() => {
    if (Date.now() - said.current < TYPING_EVERY) return
    said.current = Date.now()
    voice.current?.()
  }, [])
  const show = useCallback((message: Message) => setTalk((before) => ({ ...before, messages: merged(before.messages, [message]) })), [])
  return { talk, typing, show }
}
