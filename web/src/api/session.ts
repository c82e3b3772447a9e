import { useSyncExternalStore } from 'react'

/** The signed-in account, kept in this browser. There is no cookie, so no other site can use it. */
export type Session = { token: string; id: string; name: string; expires_at: string | null }

const KEY = 'waystation.session'
const listeners = new Set<() => void>()
let current = read()

function read(): Session | null {
  try {
    return JSON.parse(localStorage.getItem(KEY) ?? 'null') as Session | null
  } catch {
    return null
  }
}

function tell(session: Session | null) {
  current = session
  for (const listener of listeners) listener()
}

// Another tab has signed in or out.
addEventListener('storage', (event) => {
  if (event.key === KEY || event.key === null) tell(read())
})

export const session = {
  get: () => current,
  set(value: Session | null) {
    if (value) localStorage.setItem(KEY, JSON.stringify(value))
    else localStorage.removeItem(KEY)
    tell(value)
  },
  subscribe(listener: () => void) {
    listeners.add(listener)
    return () => void listeners.delete(listener)
  },
}

export const useSession = () => useSyncExternalStore(session.subscribe, session.get)
