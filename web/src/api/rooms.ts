import { call } from './call'

export type ListedRoom = { id: number; name: string; is_private: boolean; joined: boolean }
export type Room = ListedRoom & {
  has_password: boolean
  owner: string
  role: 'owner' | 'moderator' | 'member' | null
  muted_until: string | null
  members: number
  lifetime_seconds: number
}
export type Message = {
  id: string
  author: string
  name: string
  text: string
  created_at: string
  edited: boolean
  file: { name: string; size: number; url: string } | null
}

type Page = { rooms: ListedRoom[]; next: string | null }

async function all(path: string): Promise<ListedRoom[]> {
  const found: ListedRoom[] = []
  for (let after: string | null = ''; after !== null; ) {
    const page: Page = await call<Page>('GET', after ? `${path}?${new URLSearchParams({ after })}` : path)
    found.push(...page.rooms)
    // More rooms than anybody looks through are found by their names.
    after = found.length < 500 ? page.next : null
  }
  return found
}

export const ownRooms = () => all('/v1/rooms/mine')
export const publicRooms = () => all('/v1/rooms')
export const createRoom = (name: string, isPrivate: boolean) => call<Room>('POST', '/v1/rooms', { body: { name, is_private: isPrivate } })
export const readRoom = (id: number) => call<Room>('GET', `/v1/rooms/${id}`)
export const joinRoom = (id: number, password?: string) => call<Room>('POST', `/v1/rooms/${id}/join`, { body: password ? { password } : {} })
export const leaveRoom = (id: number) => call<void>('POST', `/v1/rooms/${id}/leave`)
export const readMessages = async (id: number) => (await call<{ messages: Message[] }>('GET', `/v1/rooms/${id}/messages`)).messages
export const postMessage = (id: number, text: string) => call<Message>('POST', `/v1/rooms/${id}/messages`, { body: { text } })
export const deleteMessage = (id: number, message: string) => call<void>('DELETE', `/v1/rooms/${id}/messages/${message}`)
