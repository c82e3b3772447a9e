import { call } from './call'
import type { InboxPage, InboxView } from './types'

/** A direct message. */
export type Letter = InboxView

/** Direct messages that were sent and received, the newest first. */
export const readLetters = (after: string | null = null) =>
  call<InboxPage>('GET', `/v1/messages?${new URLSearchParams({ limit: '200', ...(after && { after }) })}`)

/** `key`: the same for each attempt to send the same message. */
export const sendLetter = (recipient: string, message: string, key: string) =>
  call<Letter>('POST', '/v1/messages', { body: { recipient, message }, headers: { 'Idempotency-Key': key } })

export const deleteLetter = (id: number) => call<void>('DELETE', `/v1/messages/${id}`)
