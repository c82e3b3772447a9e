import { session } from '../api/session'

/** How far this browser's reader has read each room, by the id of the last message; `direct` are direct messages. */
type Seen = Record<string, string>

const KEY = 'waystation.seen'
const listeners = new Set<() => void>()

addEventListener('storage', ({ key }) => {
  if (key === KEY) for (const listener of listeners) listener()
})

export function subscribe(listener: () => void) {
  listeners.add(listener)
  return () => void listeners.delete(listener)
}

export function seenIn(place: string): string {
  return read()[nameOf(place)] ?? ''
}

export function see(place: string, id: string) {
  const seen = read()
  if (seen[nameOf(place)] === id) return
  try {
    localStorage.setItem(KEY, JSON.stringify({ ...seen, [nameOf(place)]: id }))
  } catch {
    // Without room in the browser, messages only stay unread.
  }
  for (const listener of listeners) listener()
}

const nameOf = (place: string) => `${session.get()?.id}/${place}`

function read(): Seen {
  try {
    const found: unknown = JSON.parse(localStorage.getItem(KEY) ?? '{}')
    return typeof found === 'object' && found !== null ? (found as Seen) : {}
  } catch {
    return {}
  }
}
