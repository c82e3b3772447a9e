import { useSyncExternalStore } from 'react'

/** The signed-in account, kept in this browser. There is no cookie, so no other site can use it. */
export type Session = { token: string; id: string; name: string; role?: string; expires_at: string | null }

const KEY = 'waystation.session'
const listeners = new Set<() => void>()
let current = read()
/** The session that ended while its page was open, until its owner signs in again or leaves. */
let ended: Session | null = null

function read(): Session | null {
  try {
    return JSON.parse(localStorage.getItem(KEY) ?? 'null') as Session | null
  } catch {
    return null
  }
}

function tell(session: Session | null, before: Session | null = null) {
  current = session
  ended = before
  for (const listener of listeners) listener()
}

// Another tab has signed in or out.
addEventListener('storage', (event) => {
  if (event.key === KEY || event.key === null) tell(read())
})

export const session = {
  get: () => current,
  getEnded: () => ended,
  set(value: Session | null) {
    if (value) localStorage.setItem(KEY, JSON.stringify(value))
    else localStorage.removeItem(KEY)
    tell(value)
  },
  /** The server does not accept this token any more. Forms that are open stay until the account is known again. */
  expire(token: string) {
    if (current?.token !== token) return
    localStorage.removeItem(KEY)
    tell(null, current)
  },
  subscribe(listener: () => void) {
    listeners.add(listener)
    return () => void listeners.delete(listener)
  },
}

export const useSession = () => useSyncExternalStore(session.subscribe, session.get)
export const useEnded = () => useSyncExternalStore(session.subscribe, session.getEnded)
