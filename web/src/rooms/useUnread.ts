import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { useSyncExternalStore } from 'react'
import { readLetters } from '../api/direct'
import { type ListedRoom, readUnread } from '../api/rooms'
import { useSession } from '../api/session'
import { seenIn, subscribe } from './seen'

const EVERY = 20_000
/** Rooms that one call counts in. Whoever is in more of them sees no numbers at the rest. */
const COUNTED = 100

type Counted = { unread: number; seen: string }

/** How many messages of others are unread after what was seen of each room, which may have changed since. */
async function count(rooms: number[]): Promise<Map<number, Counted>> {
  const asked = rooms.map((id) => ({ id, seen: seenIn(String(id)) }))
  const unread = new Map((await readUnread(asked.map(({ id, seen }) => ({ id, seen: seen || null })))).map((each) => [each.id, each.unread]))
  return new Map(asked.map(({ id, seen }) => [id, { unread: unread.get(id) ?? 0, seen }]))
}

/**
 * How many messages in rooms are unread, by the room's id; 100 stands for more. The open room is read as it is written.
 * All rooms are asked for in one call, and only while the page is looked at.
 */
export function useUnread(rooms: ListedRoom[], open: number | null): Map<number, number> {
  const counted = rooms.slice(0, COUNTED).map(({ id }) => id)
  const { data } = useQuery({
    queryKey: ['unread', counted],
    queryFn: () => count(counted),
    enabled: counted.length > 0,
    refetchInterval: EVERY,
    refetchIntervalInBackground: false,
    placeholderData: keepPreviousData,
    retry: false,
  })
  // The text is compared, and tells what was read in any tab.
  useSyncExternalStore(subscribe, () => counted.map((id) => seenIn(String(id))).join())
  return new Map(
    counted.map((id) => {
      const known = id === open ? undefined : data?.get(id)
      return [id, known && known.seen === seenIn(String(id)) ? known.unread : 0]
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
