import { useQueries, useQuery } from '@tanstack/react-query'
import { useSyncExternalStore } from 'react'
import { readLetters } from '../api/direct'
import { type ListedRoom, readMessages } from '../api/rooms'
import { useSession } from '../api/session'
import { order } from './events'
import { seenIn, subscribe } from './seen'

const EVERY = 20_000
/** Rooms whose messages are counted. Whoever is in more of them sees no numbers at the rest. */
const COUNTED = 30

/** How many messages in rooms are unread, by the room's id. The open room is read as it is written. */
export function useUnread(rooms: ListedRoom[], open: number | null): Map<number, number> {
  const counted = rooms.filter(({ id }) => id !== open).slice(0, COUNTED)
  const own = useSession()?.id
  const answers = useQueries({
    queries: counted.map(({ id }) => ({ queryKey: ['messages', id], queryFn: () => readMessages(id), refetchInterval: EVERY, retry: false })),
  })
  // The text is compared, and tells what was read in any tab.
  useSyncExternalStore(subscribe, () => counted.map(({ id }) => seenIn(String(id))).join())
  return new Map(
    counted.map(({ id }, at) => {
      const seen = seenIn(String(id))
      return [id, (answers[at]?.data ?? []).filter((message) => message.author !== own && (!seen || order(message.id, seen) > 0)).length]
    }),
  )
}

/** The direct messages, read again and again while the page is looked at. */
export const useLetters = () => useQuery({ queryKey: ['letters'], queryFn: () => readLetters(), refetchInterval: EVERY / 2 })

/** How many direct messages are unread. */
export function useUnreadLetters(): number {
  const own = useSession()?.id
  const { data } = useLetters()
  const seen = useSyncExternalStore(subscribe, () => seenIn('direct'))
  return (data?.messages ?? []).filter((letter) => letter.sender.id !== own && letter.id > Number(seen || 0)).length
}
