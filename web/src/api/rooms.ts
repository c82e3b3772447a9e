import { call } from './call'
import type {
  BanList,
  InvitationRequest,
  ListedRoomView,
  MemberChanges,
  MemberPage,
  MemberView,
  MessageList,
  MessageRequest,
  MessageView,
  NewInvitation,
  RoomChangesRequest,
  RoomPage,
  RoomRequest,
  RoomView,
  UnreadRequest,
  UnreadRooms,
} from './types'

export type ListedRoom = ListedRoomView
export type Room = RoomView
export type Message = MessageView
export type Member = MemberView

/** More rooms or members than anybody looks through. */
const ENOUGH = 500

async function all<Each>(path: string, page: (path: string) => Promise<{ found: Each[]; next: string | null }>): Promise<Each[]> {
  const whole: Each[] = []
  for (let after: string | null = ''; after !== null; ) {
    const { found, next } = await page(after ? `${path}?${new URLSearchParams({ after })}` : path)
    whole.push(...found)
    after = whole.length < ENOUGH ? next : null
  }
  return whole
}

const rooms = (path: string) =>
  all<ListedRoom>(path, async (each) => {
    const page = await call<RoomPage>('GET', each)
    return { found: page.rooms, next: page.next }
  })

const roomPath = (id: number) => `/v1/rooms/${id}`
const memberPath = (id: number, account: string) => `${roomPath(id)}/members/${account}`

export const ownRooms = () => rooms('/v1/rooms/mine')
export const publicRooms = () => rooms('/v1/rooms')
export const createRoom = (wanted: RoomRequest) => call<Room>('POST', '/v1/rooms', { body: wanted })
export const readRoom = (id: number) => call<Room>('GET', roomPath(id))
export const changeRoom = (id: number, changes: RoomChangesRequest) => call<Room>('PATCH', roomPath(id), { body: changes })
export const closeRoom = (id: number) => call<void>('DELETE', roomPath(id))
export const joinRoom = (id: number, by: { password?: string; invitation?: string }) =>
  call<Room>('POST', `${roomPath(id)}/join`, { body: by })
export const joinByName = (name: string, password: string) =>
  call<Room>('POST', '/v1/rooms/join', { body: password ? { name, password } : { name } })
export const leaveRoom = (id: number) => call<void>('POST', `${roomPath(id)}/leave`)

export const readMessages = async (id: number) => (await call<MessageList>('GET', `${roomPath(id)}/messages`)).messages
/** How many messages of others came after what was seen of each room. */
export const readUnread = async (seen: UnreadRequest['rooms']) => (await call<UnreadRooms>('POST', '/v1/rooms/unread', { body: { rooms: seen } })).rooms
/** `key`: the same for each attempt to post the same message, which then comes once. */
export const postMessage = (id: number, wanted: MessageRequest, key: string) =>
  call<Message>('POST', `${roomPath(id)}/messages`, { body: wanted, headers: { 'Idempotency-Key': key } })
export const editMessage = (id: number, message: string, text: string) =>
  call<Message>('PATCH', `${roomPath(id)}/messages/${message}`, { body: { text } })
export const deleteMessage = (id: number, message: string) => call<void>('DELETE', `${roomPath(id)}/messages/${message}`)

export const readMembers = (id: number) =>
  all<Member>(`${roomPath(id)}/members`, async (each) => {
    const page = await call<MemberPage>('GET', each)
    return { found: page.members, next: page.next }
  })
export const changeMember = (id: number, account: string, changes: MemberChanges) =>
  call<Member>('PATCH', memberPath(id, account), { body: changes })
export const removeMember = (id: number, account: string) => call<void>('DELETE', memberPath(id, account))
export const readBans = async (id: number) => (await call<BanList>('GET', `${roomPath(id)}/bans`)).accounts
export const liftBan = (id: number, account: string) => call<void>('DELETE', `${roomPath(id)}/bans/${account}`)
export const invite = (id: number, wanted: InvitationRequest) => call<NewInvitation>('POST', `${roomPath(id)}/invitations`, { body: wanted })
