import { call } from './call'
import { paged } from './owned'
import type { FetchList, FetchModel, FileList, FileModel, FileReplicaModel, FileReplicas, UsableMirrors } from './types'

export type OwnedFile = FileModel
export type Replica = FileReplicaModel
export type Fetched = FetchModel

export async function listFiles(after: string | null) {
  const { files, next } = await call<FileList>('GET', paged('/v1/files', after))
  return { rows: files, next }
}
export const renameFile = (id: string, name: string) => call<OwnedFile>('PATCH', `/v1/files/${id}`, { body: { name } })
export const deleteFile = (id: string) => call<void>('DELETE', `/v1/files/${id}`)

export const listReplicas = (id: string) => call<FileReplicas>('GET', `/v1/files/${id}/mirrors`)
export const wantMirrors = (id: string, mirrors: number[]) => call<unknown>('POST', `/v1/files/${id}/mirrors`, { body: { mirrors } })
export const unwantMirror = (id: string, mirror: number) => call<void>('DELETE', `/v1/files/${id}/mirrors/${mirror}`)
export const retryMirror = (id: string, mirror: number) => call<unknown>('POST', `/v1/files/${id}/mirrors/${mirror}/retry`)

export const listMirrors = async () => (await call<UsableMirrors>('GET', '/v1/mirrors')).mirrors
export const chooseMirrors = (mirrors: number[] | null) => call<unknown>('PUT', '/v1/mirrors/choice', { body: { mirrors } })

export async function listFetches(after: string | null) {
  const { fetches, next } = await call<FetchList>('GET', paged('/v1/fetches', after))
  return { rows: fetches, next }
}
export const startFetch = (url: string, name: string | null) =>
  call<Fetched>('POST', '/v1/fetches', { body: { url, form: 'code', ...(name && { name }) } })
export const cancelFetch = (id: string) => call<void>('DELETE', `/v1/fetches/${id}`)
