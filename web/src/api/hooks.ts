import { call } from './call'
import type { NoticeRequest, NoticesView, NoticeView, WebhooksView, WebhookView } from './types'

/** Messages to people by a service that they use, or calls to a program. */
export type HookKind = 'notices' | 'webhooks'
export type Hook = NoticeView | WebhookView
export type HookEvent = NoticeRequest['events'][number]

/** What can be told of an account. The other events are for administrators. */
export const HOOK_EVENTS = ['share.made', 'share.complete', 'share.fetched', 'share.ended', 'drop.filled', 'file.arrived'] as const satisfies readonly HookEvent[]

const path = (kind: HookKind, id: string) => `/v1/${kind}/${id}`

export async function listHooks(kind: HookKind): Promise<Hook[]> {
  return kind === 'notices' ? (await call<NoticesView>('GET', '/v1/notices')).notices : (await call<WebhooksView>('GET', '/v1/webhooks')).webhooks
}
export const addHook = (kind: HookKind, url: string, events: HookEvent[]) => call<Hook>('POST', `/v1/${kind}`, { body: { url, events } })
export const enableHook = (kind: HookKind, id: string) => call<Hook>('PATCH', path(kind, id), { body: { enabled: true } })
export const tryHook = (kind: HookKind, id: string) => call<void>('POST', `${path(kind, id)}/ping`)
export const deleteHook = (kind: HookKind, id: string) => call<void>('DELETE', path(kind, id))
