import { call } from './call'
import type {
  AccountDetail,
  AccountEdit,
  AccountInvitationRequest,
  AccountInvitations,
  AdministeredAccount,
  AdministeredFetch,
  AdministeredFile,
  AdministeredMirror,
  AdministeredMirrors,
  AdministeredRoom,
  AdministeredShare,
  AllSeries,
  BatchAnswer,
  BatchRequest,
  IssuedInvitation,
  LimitsModel,
  LinkAnswer,
  LogPage,
  FileBatchAnswer,
  MirrorChanges,
  MirrorCheck,
  NewMirror,
  PolicyView,
  RevisionsView,
  RoomEdit,
  ShareEdit,
  StatisticSeries,
  StatisticsView,
  SystemView,
  TotalsView,
  UsageList,
  UsageModel,
} from './types'

export type Rows<Row> = { rows: Row[]; next: string | null; total: number | null }
export type Wanted = Record<string, string>

const LIMIT = '50'

/** A page of a list of `/v1/admin`. Its rows are in a field that has the list's name. */
export async function listed<Row>(name: string, wanted: Wanted, after: string | null): Promise<Rows<Row>> {
  const given = Object.entries({ ...wanted, limit: LIMIT, after: after ?? '' }).filter(([, value]) => value !== '')
  const answer = await call<Record<string, unknown>>('GET', `/v1/admin/${name}?${new URLSearchParams(given)}`)
  return { rows: answer[name] as Row[], next: (answer['next'] ?? null) as string | null, total: (answer['total'] ?? null) as number | null }
}

const at = (name: string, id: string | number) => `/v1/admin/${name}/${id}`

export const editShare = (id: string, changes: ShareEdit) => call<AdministeredShare>('PATCH', at('shares', id), { body: changes })
export const actOnShares = (wanted: BatchRequest) => call<BatchAnswer>('POST', '/v1/admin/shares/batch', { body: wanted })
export const readTotals = () => call<TotalsView>('GET', '/v1/admin/summary')

export type Account = AdministeredAccount
export const readAccount = (id: string) => call<AccountDetail>('GET', at('accounts', id))
export const editAccount = (id: string, changes: AccountEdit) => call<AccountDetail>('PATCH', at('accounts', id), { body: changes })
export const deleteAccount = (id: string) => call<void>('DELETE', at('accounts', id))
export const makeReset = (id: string) => call<LinkAnswer>('POST', `${at('accounts', id)}/reset`)

export const listInvitations = async (after: string | null) => {
  const { invitations, next } = await call<AccountInvitations>('GET', `/v1/admin/invitations?${new URLSearchParams({ limit: LIMIT, ...(after && { after }) })}`)
  return { rows: invitations, next }
}
export const makeInvitation = (wanted: AccountInvitationRequest) => call<IssuedInvitation>('POST', '/v1/admin/invitations', { body: wanted })
export const endInvitation = (id: string) => call<void>('DELETE', at('invitations', id))

export type Limits = LimitsModel
export type Usage = UsageModel
export const readUsage = (account: string) => call<UsageList>('GET', `/v1/admin/usage?${new URLSearchParams({ account })}`)
export const setQuota = (account: string, limits: Limits) => call<unknown>('PUT', at('quotas', account), { body: limits })
export const dropQuota = (account: string) => call<void>('DELETE', at('quotas', account))

export type AnyFile = AdministeredFile
export const renameFile = (id: string, name: string) => call<AnyFile>('PATCH', at('files', id), { body: { name } })
export const deleteFiles = (ids: readonly string[]) => call<FileBatchAnswer>('POST', '/v1/admin/files/batch', { body: { ids, act: 'delete' } })

export type AnyFetch = AdministeredFetch
export const cancelFetch = (id: string) => call<void>('DELETE', at('fetches', id))

export type AnyMirror = AdministeredMirror
export const listMirrors = async () => (await call<AdministeredMirrors>('GET', '/v1/admin/mirrors')).mirrors
export const checkMirror = (id: number) => call<MirrorCheck>('POST', `${at('mirrors', id)}/check`)
export const changeMirror = (id: number, changes: MirrorChanges) => call<unknown>('PATCH', `/v1/mirrors/${id}`, { body: changes })
export const addMirror = (wanted: NewMirror) => call<unknown>('POST', '/v1/mirrors', { body: wanted })
export const removeMirror = (id: number, forget: boolean) => call<void>('DELETE', `/v1/mirrors/${id}?forget=${forget}`)

export type AnyRoom = AdministeredRoom
export const editRoom = (id: number, changes: RoomEdit) =>
  call<AnyRoom>('PATCH', at('rooms', id), { body: changes })
export const closeRoom = (id: number) => call<void>('DELETE', at('rooms', id))

export const readPolicy = () => call<PolicyView>('GET', '/v1/policy')
export const changePolicy = (version: number, values: Record<string, unknown>) => call<PolicyView>('PATCH', '/v1/policy', { body: { version, values } })
export const listRevisions = async (before: string | null) => {
  const { revisions, next } = await call<RevisionsView>('GET', `/v1/policy/revisions?${new URLSearchParams({ limit: '20', ...(before && { before }) })}`)
  return { rows: revisions, next: next === null ? null : String(next) }
}

export const auditQuery = (filters: Record<string, string>) => new URLSearchParams(filters).toString()
export const readLog = async (filters: Record<string, string>, after: string | null) => {
  const { entries, next } = await call<LogPage>('GET', `/v1/admin/audit?${auditQuery({ ...filters, limit: '100', ...(after && { after }) })}`)
  return { rows: entries, next }
}

export type Statistics = StatisticsView
export type Series = StatisticSeries
export type SeriesName = keyof AllSeries
export const readStatistics = (from: Date, to: Date, step: 'hour' | 'day') =>
  call<Statistics>('GET', `/v1/admin/statistics?${new URLSearchParams({ from: from.toISOString(), to: to.toISOString(), step })}`)

export const readSystem = () => call<SystemView>('GET', '/v1/admin/system')
