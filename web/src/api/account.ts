import { call, request } from './call'
import type { KeyAnswer, KeysAnswer, NewKeyAnswer, SessionAnswer, SessionsAnswer, UsageModel, WholeAccountAnswer } from './types'

export type Account = WholeAccountAnswer
export type Device = SessionAnswer
export type ApiKey = KeyAnswer

export const readAccount = () => call<Account>('GET', '/v1/account')
export const readUsage = () => call<UsageModel>('GET', '/v1/account/usage')
export const rename = (name: string) => call<Account>('PATCH', '/v1/account', { body: { name } })
/** All other sessions end. Answers the keys that are still accepted. */
export const changePassword = (current: string, next: string) =>
  call<KeysAnswer>('POST', '/v1/account/password', { body: { current, new: next } })
export const deleteAccount = (password: string) => call<void>('DELETE', '/v1/account', { body: { password } })

export const listDevices = async () => (await call<SessionsAnswer>('GET', '/v1/auth/sessions')).sessions
export const endDevice = (id: string) => call<void>('DELETE', `/v1/auth/sessions/${id}`)
export const endOtherDevices = () => call<void>('DELETE', '/v1/auth/sessions')

export const listKeys = async () => (await call<KeysAnswer>('GET', '/v1/account/keys')).keys
export const createKey = (name: string) => call<NewKeyAnswer>('POST', '/v1/account/keys', { body: { name } })
export const revokeKey = (id: string) => call<void>('DELETE', `/v1/account/keys/${id}`)

/** A token for a program, which is valid for half a year. */
export const createToken = async (name: string, password: string) =>
  (await call<{ token: string }>('POST', '/v1/auth/login', { body: { name, password, bot: true } })).token
export const createSharex = async () => (await request('POST', '/v1/account/uploaders/sharex')).blob()
export const createCurl = async () => (await (await request('POST', '/v1/account/uploaders/curl')).text()).trim()

export const resetPassword = (token: string, password: string) => call<unknown>('POST', '/v1/auth/reset', { body: { token, password } })
