import { useEffect, useState } from 'react'
import { events } from '../api/events'
import type { Problem } from '../api/problem'
import { readMessages } from '../api/rooms'
import { after, merged, type RoomEvent, SILENCE, type Talk } from './events'

export type Live = Talk & { isLive: boolean; problem: Problem | null }

/** What is said in a room, live. After a lost connection everything that still lives is read again. */
export function useTalk(room: number): Live {
  const [live, setLive] = useState<Live>({ ...SILENCE, isLive: false, problem: null })
  useEffect(() => {
    const stop = new AbortController()
    const tell = (change: (before: Live) => Partial<Live>) => {
      if (!stop.signal.aborted) setLive((before) => ({ ...before, ...change(before) }))
    }
    const readAll = async () => {
      const messages = await readMessages(room)
      tell((before) => ({ messages: merged(messages, before.messages), isLive: true }))
    }
    async function follow() {
      const options = {
        signal: stop.signal,
        onOpen: () => void readAll().catch(() => undefined),
        onLost: () => tell(() => ({ isLive: false })),
      }
      for await (const { event, data } of events(`/v1/rooms/${room}/events`, options)) {
        if (event === 'end') continue
        for (const each of JSON.parse(data) as RoomEvent[]) {
          if (each.type === 'reset') await readAll()
          tell((before) => after(before, each))
        }
      }
    }
    follow().catch((problem: Problem) => tell(() => ({ problem, isLive: false })))
    return () => stop.abort()
  }, [room])
  return live
}
