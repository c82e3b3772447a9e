import { useEffect, useState } from 'react'
import { events, insist, pause } from '../api/events'
import { Problem } from '../api/problem'
import { codePath, type OpenedShare, openCode, ticketFor, withPassword } from '../api/shares'

const RENEWAL_MILLISECONDS = 10 * 60 * 1000

export type Opened =
  | { state: 'opening' }
  | { state: 'password'; isWrong: boolean }
  | { state: 'open'; share: OpenedShare; ticket: string; isLost: boolean }
  | { state: 'refused'; problem: Problem }

/** The share behind a code, kept up to date while it is still being sent. */
export function useOpened(code: string, password: string | null, attempt: number): Opened {
  const [opened, setOpened] = useState<Opened>({ state: 'opening' })
  useEffect(() => {
    const stop = new AbortController()
    void follow(code, password, stop.signal, (next) => {
      if (!stop.signal.aborted) setOpened(next)
    })
    return () => stop.abort()
  }, [code, password, attempt])
  return opened
}

type Tell = (next: Opened | ((before: Opened) => Opened)) => void

async function follow(code: string, password: string | null, signal: AbortSignal, tell: Tell) {
  try {
    const share = await openCode(code, password, signal)
    const { ticket } = await ticketFor(code, password)
    tell({ state: 'open', share, ticket, isLost: false })
    void renew(code, password, signal, tell).catch(() => undefined)
    if (!share.complete || share.expires_at !== null) await listen(code, password, signal, tell)
  } catch (error) {
    if (signal.aborted) return
    tell(refusal(error))
  }
}

/** A ticket begins downloads for half an hour, and whoever waits for a long upload needs one for longer. */
async function renew(code: string, password: string | null, signal: AbortSignal, tell: Tell) {
  while (!signal.aborted) {
    await pause(RENEWAL_MILLISECONDS, signal)
    const { ticket } = await insist(() => ticketFor(code, password), signal)
    tell((before) => changed(before, { ticket }))
  }
}

async function listen(code: string, password: string | null, signal: AbortSignal, tell: Tell) {
  const options = {
    headers: withPassword(password),
    signal,
    onOpen: () => tell((before) => changed(before, { isLost: false })),
    onLost: () => tell((before) => changed(before, { isLost: true })),
  }
  for await (const { event, data } of events(`${codePath(code)}/events`, options)) {
    if (event === 'share') {
      const share = JSON.parse(data) as OpenedShare
      tell((before) => changed(before, { share }))
    } else if (event === 'progress') {
      const { items } = JSON.parse(data) as { items: Record<string, number> }
      tell((before) => (before.state === 'open' ? changed(before, { share: withProgress(before.share, items) }) : before))
    } else if (event === 'end') {
      // Asked once more, because it says why.
      const share = await insist(() => openCode(code, password, signal), signal)
      tell((before) => changed(before, { share }))
    }
  }
}

function changed(before: Opened, change: Partial<Extract<Opened, { state: 'open' }>>): Opened {
  return before.state === 'open' ? { ...before, ...change } : before
}

function withProgress(share: OpenedShare, received: Record<string, number>): OpenedShare {
  return { ...share, items: share.items.map((item) => ({ ...item, received: received[item.id] ?? item.received })) }
}

function refusal(error: unknown): Opened {
  if (!(error instanceof Problem)) throw error
  if (error.status === 401) return { state: 'password', isWrong: error.code.endsWith('_wrong') }
  return { state: 'refused', problem: error }
}
