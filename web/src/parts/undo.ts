import { useSyncExternalStore } from 'react'

/** Something that happens in a few seconds, unless it is undone. */
export type Pending = { words: string; undo: () => void }

const MILLISECONDS = 6000
let pending: (Pending & { act: () => void }) | null = null
let timer: ReturnType<typeof setTimeout> | undefined
const listeners = new Set<() => void>()

function set(value: typeof pending) {
  pending = value
  for (const listener of listeners) listener()
}

function actNow() {
  clearTimeout(timer)
  const due = pending
  set(null)
  due?.act()
}

// Whoever closes the page means it.
addEventListener('pagehide', actNow)

/** Say that something is done, do it a few seconds later, and offer to undo it until then. */
export function soon(words: string, act: () => void, undo: () => void) {
  actNow()
  set({
    words,
    act,
    undo: () => {
      clearTimeout(timer)
      set(null)
      undo()
    },
  })
  timer = setTimeout(actNow, MILLISECONDS)
}

export const usePending = (): Pending | null =>
  useSyncExternalStore(
    (listener) => {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    () => pending,
  )
