/** The JSON that the native API takes and returns. `make reference` writes this file: do not edit it. */

/** An account. `mixed_scripts` are those of a name that mixes some, as codes of ISO 15924. */
export type AccountAnswer = {
  id: string
  name: string
  role: Role
  mixed_scripts: string[]
}

/** The account's new name. */
export type AccountChange = {
  name: string
}

/** An account with the numbers of its sessions and API keys. */
export type AccountDetail = {
  id: string
  name: string
  email: string | null
  role: Role
  suspended_at: string | null
  suspended_for: string | null
  created_at: string
  last_seen_at: string | null
  sessions: number
  keys: number
}

/** New values; absent ones stay. A `reason` is kept with a suspension. */
export type AccountEdit = {
  role?: 'user' | 'administrator' | null
  suspended?: boolean | null
  reason?: string | null
}

/** An invitation. */
export type AccountInvitation = {
  id: string
  role: Role
  note: string
  created_by: string
  created_at: string
  expires_at: string
  used_by: string | null
  used_at: string | null
  state: 'open' | 'used' | 'expired'
}

/** An invitation that is open for so many days. */
export type AccountInvitationRequest = {
  role?: 'user' | 'administrator'
  note?: string
  days?: number
}

/** Invitations, the newest first. `next`: the value of `after` for those that follow; null at the end. */
export type AccountInvitations = {
  invitations: AccountInvitation[]
  next: string | null
}

/** The use of one account. */
export type AccountUsage = {
  bytes: number
  files: number
  reserved_bytes: number
  limits: LimitsModel
  own_limits: boolean
  account: string
}

/**
 * An account; `name` is null when it was deleted.
 *
 * `mixed_scripts` are those of a name that mixes some, as codes of ISO 15924.
 */
export type AccountView = {
  id: string
  name: string | null
  avatar_url: string | null
  mixed_scripts: string[]
}

/** A page of accounts, the newest first; `next` is the `after` of the next page, or null. */
export type AccountsAnswer = {
  accounts: WholeAccountAnswer[]
  next: string | null
}

/** Accounts. `next`: the value of `after` for those that follow; null at the end. */
export type AccountsPage = {
  accounts: AdministeredAccount[]
  next: string | null
  total: number | null
}

/** An account. */
export type AdministeredAccount = {
  id: string
  name: string
  email: string | null
  role: Role
  suspended_at: string | null
  suspended_for: string | null
  created_at: string
  last_seen_at: string | null
}

/** A fetch. `url` without user, password and query, which may be secrets of its owner. */
export type AdministeredFetch = {
  id: string
  owner: string
  url: string
  file_name: string | null
  state: FetchState
  size: number | null
  bytes_done: number
  error: string | null
  detail: string | null
  failures: number
  created_at: string
  ends_at: string
}

/** Fetches, the newest first. `next`: the value of `after` for those that follow; null at the end. */
export type AdministeredFetches = {
  fetches: AdministeredFetch[]
  next: string | null
  total: number | null
}

/** A file. `owner` null: it belongs to nobody; `sha256` in hex, null until the content is verified. */
export type AdministeredFile = {
  id: string
  name: string
  owner: string | null
  size: number
  state: FileState
  sha256: string | null
  created_at: string
  expires_at: string | null
  has_password: boolean
  replicas: Record<string, number>
}

/** Files. `next`: the value of `after` for those that follow; null at the end. */
export type AdministeredFiles = {
  files: AdministeredFile[]
  next: string | null
  total: number | null
}

/** A mirror, with its health and the numbers of its copies by their states. */
export type AdministeredMirror = {
  id: number
  name: string
  kind: string
  accounts: string[] | null
  is_default: boolean
  is_enabled: boolean
  created_at: string
  health: 'ok' | 'failing' | 'paused' | 'unknown' | 'disabled' | 'removing'
  last_error: string | null
  probed_at: string | null
  failures: number
  open_until: string | null
  replicas: Record<string, number>
}

/** Every mirror, the oldest first. */
export type AdministeredMirrors = {
  mirrors: AdministeredMirror[]
}

/** Shares. `next`: the value of `after` for those that follow; null at the end. `total`: the number of all. */
export type AdministeredPage = {
  shares: AdministeredShare[]
  next: string | null
  total: number | null
}

/** A room, with the numbers of its members and messages. */
export type AdministeredRoom = {
  id: number
  name: string
  kind: 'public' | 'private'
  owner: string
  members: number
  messages: number
  capacity: number
  lifetime_seconds: number
  created_at: string
  last_message_at: string | null
}

/** Rooms. `next`: the value of `after` for those that follow; null at the end. */
export type AdministeredRooms = {
  rooms: AdministeredRoom[]
  next: string | null
  total: number | null
}

/** A share. `size` in bytes; `downloads_left` null: any number; `expires_at` null: never. */
export type AdministeredShare = {
  id: string
  form: 'code' | 'link' | 'page'
  code: string
  url: string | null
  kind: 'file' | 'text' | 'items'
  file_id: string | null
  owner: string | null
  name: string
  size: number
  created_at: string
  expires_at: string | null
  downloads: number
  downloads_left: number | null
  has_password: boolean
  status: 'active' | 'expired'
  note: string
  tags: string[]
}

/** Bytes and transfers in and out, shares made and ended, wrong codes, and answers of 500 and above. */
export type AllSeries = {
  bytes_in: StatisticSeries
  bytes_out: StatisticSeries
  uploads: StatisticSeries
  downloads: StatisticSeries
  shares_made: StatisticSeries
  shares_ended: StatisticSeries
  codes_refused: StatisticSeries
  failures: StatisticSeries
}

/** The accounts that were removed and may not come back, the latest first. */
export type BanList = {
  accounts: AccountView[]
}

/** The shares that were changed, those that are not there, and those to which the act does not apply. */
export type BatchAnswer = {
  done: string[]
  missing: string[]
  failed?: Record<string, string>
  codes?: Record<string, string>
}

/**
 * An act on many shares.
 *
 * extend: by `seconds`. expire: at `expires_at`, null: never. limit: to `downloads_left`, null: any number. annotate:
 * with `note` and `tags`, of which absent ones stay as they are. end and new_code need nothing more.
 */
export type BatchRequest = {
  ids: string[]
  act: 'extend' | 'expire' | 'limit' | 'end' | 'new_code' | 'annotate'
  seconds?: number | null
  expires_at?: string | null
  downloads_left?: number | null
  note?: string | null
  tags?: string[] | null
}

/** The mirrors of the account's files when none are named; null: the administrator's default mirrors. */
export type Choice = {
  mirrors: number[] | null
}

/** An item. `size` and `received` in bytes; `sha256` null until it is ready, and where `text` is kept back. */
export type CodeItem = {
  id: string
  name: string
  size: number
  type: string
  state: 'waiting' | 'sending' | 'verifying' | 'ready' | 'failed'
  received: number
  sha256: string | null
  text: string | null
}

/** A ticket for links (`?ticket=`). Until it expires it may begin downloads; those that it began may go on. */
export type CodeTicket = {
  ticket: string
  expires_at: string
}

/** The share that a code stands for. `expires_at` null: never; `downloads_left` null: any number. */
export type CodeView = {
  code: string
  title: string | null
  message: string | null
  created_at: string
  expires_at: string | null
  downloads_left: number | null
  password_required: boolean
  complete: boolean
  size: number
  items: CodeItem[]
}

/** The file, and its share if there is one. */
export type CompletedModel = {
  file: string
  code?: string | null
  url?: string | null
  delete_key?: string | null
}

/** The account's password. */
export type Confirmation = {
  password: string
}

/** Files and texts for the owner of a drop-off. */
export type DeliveryRequest = {
  items: {
    name?: string | null
    size?: number | null
    text?: string | null
    file_id?: string | null
  }[]
  title?: string | null
  message?: string | null
}

/**
 * A file of `size` bytes that is sent in parts of `part_size` bytes, but for the last one.
 *
 * `part_size` null: one that suits. All else is as in the metadata of tus: `item` is the ticket of an item of a share,
 * which decides everything but the parts. `sha256` in hex: the digest that the content must have.
 */
export type DirectUpload = {
  size: number
  name?: string | null
  part_size?: number | null
  item?: string | null
  share?: 'code' | 'link' | 'page' | 'none' | null
  expire_style?: string | null
  expire_value?: number | null
  password?: string | null
  sha256?: string | null
}

/** An upload that has begun. Parts are numbered from 1. */
export type DirectUploadModel = {
  id: string
  size: number
  part_size: number
  part_count: number
  expires_at: string
}

/** New values. null: no limit but those of the whole system. */
export type DropChanges = {
  greeting?: string | null
  size_limit?: number | null
  item_limit?: number | null
  share_limit?: number | null
  types?: string[]
  expires_at?: string | null
  title?: string
}

/** Drop-offs, the newest first. `next`: the value of `after` for those that follow; null at the end. */
export type DropPage = {
  drops: DropView[]
  next: string | null
}

/** A new drop-off. */
export type DropRequest = {
  greeting?: string | null
  size_limit?: number | null
  item_limit?: number | null
  share_limit?: number | null
  types?: string[]
  expires_at?: string | null
  title: string
  code?: string | null
  code_style?: 'short' | 'words'
}

/** A drop-off as its owner sees it. */
export type DropView = {
  code: string
  title: string
  greeting: string | null
  size_limit: number | null
  item_limit: number | null
  types: string[]
  expires_at: string | null
  is_open: boolean
  id: string
  url: string
  share_limit: number | null
  received: number
  created_at: string
}

/** An engine; `version` null: unknown. */
export type EngineState = {
  name: string
  version: string | null
  healthy: boolean
  detail: string
}

/** An act. `old`, `new`: the values that it changed; secrets are never among them. */
export type EntryView = {
  id: string
  at: string
  act: string
  account_id: string
  account_name: string
  credential_id: string
  address: string
  request_id: string | null
  target_kind: string
  target_id: string | null
  target_name: string | null
  old: Record<string, unknown> | null
  new: Record<string, unknown> | null
}

/** A page of fetches, the newest first. `next`: the `after` of the next page; null: this is the last one. */
export type FetchList = {
  fetches: FetchModel[]
  next: string | null
}

/**
 * A fetch. `url` without user and password; `size` in bytes, null until the remote server has said it.
 *
 * `bytes_done`: of `size`; `error`: a stable code, also of a failed attempt that is not the last. `file_id`, `code`
 * and `share_url` are there once it is done; a share that is only a code has no URL.
 */
export type FetchModel = {
  id: string
  url: string
  state: FetchState
  name: string | null
  size: number | null
  bytes_done: number
  error: string | null
  detail: string | null
  file_id: string | null
  form: 'code' | 'link' | 'page'
  code: string | null
  share_url: string | null
  created_at: string
}

/**
 * A URL to fetch, http or https, and how to share the file.
 *
 * `sha256` in hex: the digest that the content must have; `mirrors` null: those of the account's choice; `expires_at`
 * null: never; `downloads` null: any number.
 */
export type FetchRequest = {
  url: string
  name?: string | null
  sha256?: string | null
  mirrors?: number[] | null
  form?: 'code' | 'link' | 'page'
  expires_at?: string | null
  downloads?: number | null
  password?: string | null
}

export type FetchState = 'queued' | 'fetching' | 'done' | 'failed' | 'canceled'

/** An act on many files. */
export type FileBatch = {
  ids: string[]
  act: 'delete'
}

/** The files that are gone now, and those that were not there. */
export type FileBatchAnswer = {
  done: string[]
  missing: string[]
}

/** The new values; what is left out stays. `expires_at` null: never; `password` null: none. */
export type FileChanges = {
  name?: string
  expires_at?: string | null
  password?: string | null
}

/** The new name. */
export type FileEdit = {
  name: string
}

/** A page of files, the newest first. `next`: the `after` of the next page; null: this is the last one. */
export type FileList = {
  files: FileModel[]
  next: string | null
}

/** A file. `size` in bytes; `sha256` in hex, null until the content is verified; `expires_at` null: never. */
export type FileModel = {
  id: string
  name: string
  size: number
  sha256: string | null
  state: FileState
  created_at: string
  expires_at: string | null
  has_password: boolean
}

/** A file on a mirror. `bytes_done`: of the copy; `url`: its public link once it is verified, if it has one. */
export type FileReplicaModel = {
  mirror_id: number
  mirror: string
  state: ReplicaState
  bytes_done: number
  url: string | null
  error: string | null
  verified_at: string | null
}

/** A file on every mirror where it is wanted. `size` in bytes. */
export type FileReplicas = {
  size: number
  mirrors: FileReplicaModel[]
}

export type FileState = 'pending' | 'ready' | 'corrupt'

/**
 * A file that a message carries. `size` in bytes.
 *
 * `expires_at` is when the link ends, as that was known when it was posted; null: it does not end by itself.
 */
export type FileView = {
  name: string
  size: number
  type: string
  url: string
  expires_at?: string | null
}

/** Direct messages, the newest first. */
export type InboxPage = {
  messages: InboxView[]
  next: string | null
}

/** A direct message to the account with the name `recipient`. */
export type InboxRequest = {
  recipient: string
  message: string
}

/** A direct message, sent or received. */
export type InboxView = {
  id: number
  sender: AccountView
  recipient: AccountView
  message: string
  created_at: string
}

/** The newest invitations that still open the room. */
export type InvitationList = {
  invitations: InvitationView[]
}

/** An invitation to make. `uses` is the number of accounts that may join by it; null: any number. */
export type InvitationRequest = {
  uses?: number | null
  lifetime_seconds?: number
}

/** An invitation to a room. */
export type InvitationView = {
  id: string
  created_by: string
  created_at: string
  expires_at: string
  uses_left: number | null
}

/** An invitation with its link, which is shown only this once. */
export type IssuedInvitation = {
  id: string
  role: Role
  note: string
  created_by: string
  created_at: string
  expires_at: string
  used_by: string | null
  used_at: string | null
  state: 'open' | 'used' | 'expired'
  url: string
}

/** More items for a share. */
export type ItemsRequest = {
  items: {
    name?: string | null
    size?: number | null
    text?: string | null
    file_id?: string | null
  }[]
}

/** The key to a private room: its password or an invitation. */
export type JoinRequest = {
  password?: string | null
  invitation?: string | null
}

/** An API key; `hint` is its beginning. */
export type KeyAnswer = {
  id: string
  name: string
  hint: string
  created_at: string
}

/** The name by which the owner recognises the key. */
export type KeyRequest = {
  name: string
}

/** API keys, the newest first. */
export type KeysAnswer = {
  keys: KeyAnswer[]
}

/** The most bytes and files; null: any number. */
export type LimitsModel = {
  bytes: number | null
  files: number | null
}

/** A link that is shown only this once. Its secret stands after `#`, which no browser sends to a server. */
export type LinkAnswer = {
  url: string
  expires_at: string
}

/**
 * A link. `size` in bytes; `expires_at` null: never; `downloads_left` null: any number.
 *
 * If it has a password, only the last two fields are present until the password is shown.
 */
export type LinkView = {
  name?: string
  size?: number
  kind?: 'file' | 'text' | 'items'
  expires_at?: string | null
  downloads_left?: number | null
  needs_password: boolean
  mine: boolean
}

/** A room in a list; `joined` says whether you are a member. */
export type ListedRoomView = {
  id: number
  name: string
  mixed_scripts: string[]
  is_private: boolean
  owner: string
  joined: boolean
  created_at: string
}

/** A share as its owner sees it in a list. */
export type ListedShare = {
  id: string
  form: 'code' | 'link' | 'page'
  code: string
  url: string
  kind: 'file' | 'text' | 'items'
  file_id: string | null
  name: string
  size: number
  created_at: string
  expires_at: string | null
  downloads: number
  downloads_left: number | null
  title: string | null
  message: string | null
  has_password: boolean
  state: 'active' | 'spent' | 'ended'
  awaited: number
}

/** Acts, the newest first. `next`: the value of `after` for those that follow; null at the end. */
export type LogPage = {
  entries: EntryView[]
  next: string | null
}

/** A name and its password. With `bot`, the token is valid for half a year instead of five days. */
export type LoginRequest = {
  name: string
  password: string
  bot?: boolean
}

/** The values to change. The role `owner` passes the room on. Null or 0 `muted_seconds` end a mute. */
export type MemberChanges = {
  role?: 'owner' | 'moderator' | 'member' | null
  muted_seconds?: number | null
}

/** Members, the oldest first. */
export type MemberPage = {
  members: MemberView[]
  next: string | null
}

/** A member of a room. */
export type MemberView = {
  account: AccountView
  role: 'owner' | 'moderator' | 'member'
  muted_until: string | null
  joined_at: string
}

/** The messages of a room, the oldest first. */
export type MessageList = {
  messages: MessageView[]
}

/**
 * A message to post. `reply_to` is the id of another message.
 *
 * `share_id` is one of your own links to a file, which the message then carries; without a `text`, its text is the
 * link.
 */
export type MessageRequest = {
  text?: string
  reply_to?: string | null
  share_id?: string | null
}

/** A message. Its text is exactly what was sent, so a page must show it as text and never as HTML. */
export type MessageView = {
  id: string
  author: string
  name: string
  mixed_scripts?: string[]
  text: string
  created_at: string
  edited: boolean
  reply_to: string | null
  file: FileView | null
}

/** The fields to change; all others stay, also those of `options`, where an empty text drops one. */
export type MirrorChanges = {
  name?: string
  options?: Record<string, string>
  link_pattern?: string
  accounts?: string[] | null
  is_default?: boolean
  is_enabled?: boolean
  parallel?: number
}

/** The result of a check. `error` null: a small object was written, read back and deleted again. */
export type MirrorCheck = {
  error: string | null
  step?: string | null
  message?: string | null
}

/** Every mirror. */
export type MirrorList = {
  mirrors: MirrorModel[]
}

/** A mirror as administrators see it. Secrets are never shown: `secrets` names those that are set. */
export type MirrorModel = {
  id: number
  name: string
  kind: string
  options: Record<string, string>
  secrets: string[]
  link_pattern: string
  accounts: string[] | null
  is_default: boolean
  is_enabled: boolean
  parallel: number
  replicas: Record<string, number>
  created_at: string
  is_being_removed: boolean
  probed_at: string | null
  probe_error: string | null
  failures: number
  open_until: string | null
}

/** A room by its name, with its password if it is private. */
export type NamedJoinRequest = {
  name: string
  password?: string | null
}

/** An invitation with its token, which is shown only once, and a link that keeps the token out of servers' logs. */
export type NewInvitation = {
  id: string
  created_by: string
  created_at: string
  expires_at: string
  uses_left: number | null
  token: string
  url: string
}

/** An API key with its token, which are shown only this once; for `Authorization: Basic` as user and password. */
export type NewKeyAnswer = {
  id: string
  name: string
  hint: string
  created_at: string
  api_key: string
  api_token: string
}

/** A mirror to be added. `options`: those of its kind; `link_pattern`: a URL with `{path}`, for public links. */
export type NewMirror = {
  name: string
  kind: string
  options: Record<string, string>
  link_pattern?: string
  accounts?: string[] | null
  is_default?: boolean
  is_enabled?: boolean
  parallel?: number
}

/** New values; null leaves what there is. Whatever is changed, what is waiting is sent at once. */
export type NoticeChanges = {
  url?: string | null
  events?: ('share.made' | 'share.complete' | 'share.fetched' | 'share.ended' | 'drop.filled' | 'file.arrived' | 'mirror.failed' | 'disk.low')[] | null
  enabled?: boolean | null
}

/**
 * A URL of Apprise, such as `mailtos://USER:PASSWORD@HOST?to=ADDRESS` or `ntfys://TOPIC`.
 *
 * It is a secret, and is never shown again. `everybody`: for the shares of all accounts and guests; administrators
 * only.
 */
export type NoticeRequest = {
  url: string
  events: ('share.made' | 'share.complete' | 'share.fetched' | 'share.ended' | 'drop.filled' | 'file.arrived' | 'mirror.failed' | 'disk.low')[]
  everybody?: boolean
}

/**
 * Notices to one URL. `service`: how its URL begins; `waiting`: the number of events that are still to be told.
 *
 * `error`: the failure of the last attempt; `dropped`: the number of events that were never told, because too many
 * were waiting.
 */
export type NoticeView = {
  id: string
  service: string
  events: string[]
  everybody: boolean
  enabled: boolean
  created_at: string
  sent_at: string | null
  error: string | null
  failures: number
  waiting: number
  dropped: number
}

/** Notices, the newest first. */
export type NoticesView = {
  notices: NoticeView[]
}

/** A drop-off as those who send see it. null: no limit but those of the whole system. */
export type OpenDrop = {
  code: string
  title: string
  greeting: string | null
  size_limit: number | null
  item_limit: number | null
  types: string[]
  expires_at: string | null
  is_open: boolean
}

/**
 * A mirror of the file. `url`: of the file there; null until the copy is verified, or if it has no web address.
 *
 * `bytes_done`: how much of the file has been copied there.
 */
export type PageMirror = {
  id: number
  name: string
  state: 'queued' | 'copying' | 'verified' | 'failed'
  url: string | null
  bytes_done: number
}

/**
 * A page. `size` in bytes; `expires_at` null: never; `downloads_left` null: any number.
 *
 * `sha256`: hexadecimal; null while the file is being verified. If the page has a password, only the last two fields
 * are present until the password is shown.
 */
export type PageView = {
  name?: string
  size?: number
  sha256?: string | null
  created_at?: string | null
  expires_at?: string | null
  downloads_left?: number | null
  file_state?: 'pending' | 'ready' | 'corrupt'
  mirrors?: PageMirror[]
  download_url?: string | null
  needs_password: boolean
  mine: boolean
}

/**
 * The address for a PUT of exactly `size` bytes, which must begin before `expires_at`; `ETag` of the answer says
 * what was stored.
 */
export type PartAddressModel = {
  number: number
  size: number
  url: string
  expires_at: string
}

export type PartAddresses = {
  parts: PartAddressModel[]
}

/** The numbers of parts that are to be sent. */
export type PartNumbers = {
  numbers: number[]
}

/** The present password and the new one. With `end_keys`, the account's API keys are revoked as well. */
export type PasswordChange = {
  current: string
  new: string
  end_keys?: boolean
}

/** The token of a link, which stands after `#`, and the new password: of 8 characters to 1024 bytes. */
export type PasswordReset = {
  token: string
  password: string
}

/** The limits that the administrator sets. Sizes are in bytes, times in seconds unless their name says otherwise. */
export type Policy = {
  name: string
  description: string
  explain: string
  notify_title: string
  notify_content: string
  notices?: string[]
  accent?: string
  keywords?: string
  robots?: string
  opacity?: number
  background?: string
  show_admin_address?: boolean
  upload_size: number
  allowed_file_types: string[]
  expire_styles: ('day' | 'hour' | 'minute' | 'forever' | 'count')[]
  account_bytes?: number | 'unlimited'
  account_files?: number | 'unlimited'
  guest_bytes?: number | 'unlimited'
  guest_files?: number | 'unlimited'
  place_bytes?: number | 'unlimited'
  place_files?: number | 'unlimited'
  enable_chunk: boolean
  open_upload: boolean
  registration?: boolean
  max_save_seconds: number
  upload_count: number
  upload_minute: number
  error_count: number
  error_minute: number
  login_count?: number
  login_minute?: number
  admin_session_days?: number
  audit_days?: number
  numeric_codes: boolean
  code_length?: number
  chosen_code_length?: number
  room_lifetime_max_seconds?: number | null
  room_capacity_max?: number | null
  room_members?: number | null
  public_rooms?: number | null
  public_rooms_per_account?: number | null
  rooms_per_account?: number | null
  trusted_origins?: string[]
}

/**
 * New values of some fields; null gives a field the environment's value again. `version`: the one that was read.
 *
 * A quota is lifted by `unlimited`, also if the environment sets one.
 */
export type PolicyChange = {
  version: number
  values: {
    name?: string
    description?: string
    explain?: string
    notify_title?: string
    notify_content?: string
    notices?: string[]
    accent?: string
    keywords?: string
    robots?: string
    opacity?: number
    background?: string
    show_admin_address?: boolean
    upload_size?: number
    allowed_file_types?: string[]
    expire_styles?: ('day' | 'hour' | 'minute' | 'forever' | 'count')[]
    account_bytes?: number | 'unlimited'
    account_files?: number | 'unlimited'
    guest_bytes?: number | 'unlimited'
    guest_files?: number | 'unlimited'
    place_bytes?: number | 'unlimited'
    place_files?: number | 'unlimited'
    enable_chunk?: boolean
    open_upload?: boolean
    registration?: boolean
    max_save_seconds?: number
    upload_count?: number
    upload_minute?: number
    error_count?: number
    error_minute?: number
    login_count?: number
    login_minute?: number
    admin_session_days?: number
    audit_days?: number
    numeric_codes?: boolean
    code_length?: number
    chosen_code_length?: number
    room_lifetime_max_seconds?: number | null
    room_capacity_max?: number | null
    room_members?: number | null
    public_rooms?: number | null
    public_rooms_per_account?: number | null
    rooms_per_account?: number | null
    trusted_origins?: string[]
  }
}

/** The policy in force, and the values that the environment gives. */
export type PolicyView = {
  version: number
  changes: Record<string, unknown>
  changed_by: string | null
  changed_at: string | null
  values: Policy
  defaults: Policy
}

/** The result of a probe. `error` null: a small object was written, read back and deleted again. */
export type Probe = {
  error: string | null
  step?: Step | null
  message?: string | null
}

/** An error (RFC 9457). Programs may rely on `code`; `detail` is a text for people. */
export type Problem = {
  type: string
  title: string
  status: number
  detail: string
  code: string
}

/**
 * A name of 1 to 255 characters, and a password of 8 characters to 1024 bytes.
 *
 * `invitation`: the token of a link that an administrator made, which is needed while registration is closed.
 */
export type RegisterRequest = {
  name: string
  password: string
  invitation?: string | null
}

export type ReplicaState = 'queued' | 'copying' | 'verified' | 'failed' | 'removing' | 'removed'

/** A version of the changes. `changed_by`: an account; null: it was not noted, or nobody changed anything yet. */
export type RevisionView = {
  version: number
  changes: Record<string, unknown>
  changed_by: string | null
  changed_at: string | null
}

/** Versions, the newest first. `next`: the value of `before` for those that follow; null at the end. */
export type RevisionsView = {
  revisions: RevisionView[]
  next: number | null
}

export type Role = 'user' | 'administrator'

/** The account's new role. */
export type RoleChange = {
  role: 'user' | 'administrator'
}

/**
 * The values to change. With `password` null, only invitations open the room.
 *
 * With `bans_hold_address_seconds` null, no address is held any more, and those of members are forgotten.
 */
export type RoomChangesRequest = {
  name?: string
  password?: string | null
  lifetime_seconds?: number
  capacity?: number
  revoke_files?: boolean
  file_lifetime_seconds?: number | null
  bans_end_invitations?: boolean
  bans_hold_address_seconds?: number | null
}

/** New values; absent ones stay. */
export type RoomEdit = {
  name?: string | null
  capacity?: number | null
  lifetime_seconds?: number | null
}

/** Rooms, the oldest first. `next` is the `after` of the following page; null: this is the last one. */
export type RoomPage = {
  rooms: ListedRoomView[]
  next: string | null
}

/**
 * A room to create. A private room without a password opens only to invitations; a public room has no password.
 *
 * `lifetime_seconds` is the lifetime of each message, and `capacity` the number of messages kept at the same time.
 * `revoke_files` says whether links that were posted in the room are revoked when it is closed. A link is also revoked
 * `file_lifetime_seconds` after its message has expired, unless that is null.
 *
 * In a private room, bans can hold more than an account: the invitation by which a banned member came ends if
 * `bans_end_invitations`, and for `bans_hold_address_seconds` nobody may join from the address from which the member
 * joined. For that, a digest of it is kept of each who joins, for 30 days at most.
 */
export type RoomRequest = {
  name: string
  is_private?: boolean
  password?: string | null
  lifetime_seconds?: number | null
  capacity?: number | null
  revoke_files?: boolean
  file_lifetime_seconds?: number | null
  bans_end_invitations?: boolean
  bans_hold_address_seconds?: number | null
}

/**
 * A room, and your role in it (null: you are not a member).
 *
 * `mixed_scripts` are those of a name that mixes some, as codes of ISO 15924.
 */
export type RoomView = {
  id: number
  name: string
  mixed_scripts: string[]
  is_private: boolean
  has_password: boolean
  owner: string
  role: 'owner' | 'moderator' | 'member' | null
  muted_until: string | null
  members: number
  lifetime_seconds: number
  capacity: number
  revoke_files: boolean
  file_lifetime_seconds: number | null
  bans_end_invitations: boolean
  bans_hold_address_seconds: number | null
  created_at: string
}

/** A share of items under a new code. Or, with `file_id`: Another share of a file that the account shares already. */
export type SendRequest = {
  file_id?: string
  form?: 'code' | 'link' | 'page'
  name?: string | null
  expires_at?: string | null
  downloads?: number | null
  password?: string | null
  items?: {
    name?: string | null
    size?: number | null
    text?: string | null
    file_id?: string | null
  }[]
  title?: string | null
  message?: string | null
  expire_style?: 'day' | 'hour' | 'minute' | 'forever' | 'count' | null
  expire_value?: number
  code?: string | null
  code_style?: 'short' | 'words'
}

/** An item. `size` and `received` in bytes; `sha256` null until it is ready. */
export type SentItem = {
  id: string
  name: string
  size: number
  state: 'waiting' | 'sending' | 'verifying' | 'ready' | 'failed'
  received: number
  sha256: string | null
  text: string | null
  upload: string | null
  upload_id: string | null
}

/** A share as its sender sees it. */
export type SentView = {
  id: string
  form: 'code' | 'link' | 'page'
  code: string
  url: string
  kind: 'file' | 'text' | 'items'
  file_id: string | null
  name: string
  size: number
  created_at: string
  expires_at: string | null
  downloads: number
  downloads_left: number | null
  title: string | null
  message: string | null
  has_password: boolean
  state: 'active' | 'spent' | 'ended'
  key: string | null
  used_count: number
  complete: boolean
  items: SentItem[]
}

/** A service; `version` and `started_at` null: it did not answer. With several replicas, one of them answers. */
export type ServiceState = {
  name: string
  version: string | null
  started_at: string | null
  healthy: boolean
  detail: Record<string, string>
}

/** A session. `kind` opaque: a token of Mirage; `expires_at` null: never; `label`: the client that signed in. */
export type SessionAnswer = {
  id: string
  kind: SessionKind
  label: string
  created_at: string
  expires_at: string | null
  current: boolean
}

export type SessionKind = 'token' | 'opaque'

/** Sessions, the newest first. */
export type SessionsAnswer = {
  sessions: SessionAnswer[]
}

/** New values. null: never (`expires_at`), none (`password`), any number (`downloads_left`). */
export type ShareChanges = {
  name?: string
  title?: string | null
  message?: string | null
  code?: string | null
  expires_at?: string | null
  password?: string | null
  downloads_left?: number | null
}

/** New values. null: never (`expires_at`), any number (`downloads_left`), a new random one (`code`). */
export type ShareEdit = {
  name?: string
  expires_at?: string | null
  downloads_left?: number | null
  code?: string | null
  note?: string
  tags?: string[]
}

/** Shares, the newest first. `next`: the value of `after` for the shares that follow; null at the end. */
export type SharePage = {
  shares: ListedShare[]
  next: string | null
}

/** A key that signs tokens from `created_at` on. */
export type SigningKeyAnswer = {
  kid: string
  created_at: string
}

/** The place. Sizes in bytes; all texts are plain text. */
export type SiteView = {
  name: string
  description: string
  notices: string[]
  accent: string
  version: string
  guest_upload: boolean
  registration: boolean
  upload_size: number
  expire_styles: ('day' | 'hour' | 'minute' | 'forever' | 'count')[]
  longest_life_seconds: number | null
  item_limit: number
}

/** Numbers, one for each step: of all, and of each dialect that has any. */
export type StatisticSeries = {
  total: number[]
  by_dialect: Record<string, number[]>
}

/** Series between two moments. `times`: the beginnings of the steps; days are those of UTC. */
export type StatisticsView = {
  step: 'hour' | 'day'
  times: string[]
  series: AllSeries
}

/** The steps of a probe, in their order. */
export type Step = 'sign_in' | 'write' | 'read' | 'delete'

/** The object store. `free_bytes`, `reserve_bytes` null: only the store knows. */
export type StoreUse = {
  kind: 's3' | 'folder'
  used_bytes: number
  free_bytes: number | null
  reserve_bytes: number | null
}

export type StoredPartModel = {
  number: number
  size: number
  etag: string
}

export type StoredParts = {
  parts: StoredPartModel[]
}

/** The whole system. A part that does not answer is missing or null. */
export type SystemView = {
  version: string
  services: ServiceState[]
  engines: EngineState[]
  workers: WorkerState[]
  queues: WaitingMessages[]
  backlog: WaitingRows[]
  store: StoreUse | null
}

/** The new text of a message. */
export type TextRequest = {
  text: string
}

/** A ticket, which opens one socket of this room once, within `expires_in` seconds. */
export type TicketView = {
  ticket: string
  expires_in: number
}

/** A token, for `Authorization: Bearer`. */
export type TokenAnswer = {
  token: string
  expires_at: string | null
  account: AccountAnswer
}

/** Sums over all shares that hold something. Sizes in bytes; days begin at midnight in UTC. */
export type TotalsView = {
  shares: number
  size: number
  active: number
  expired: number
  texts: number
  files: number
  downloads: number
  today: number
  today_size: number
  yesterday: number
  yesterday_size: number
  expiring_soon: number
  never_retrieved: number
  permanent: number
}

/** The rooms to count in, each once. */
export type UnreadRequest = {
  rooms: {
    id: number
    seen?: string | null
  }[]
}

/** A room, and how many messages of others are unread in it. 100 stands for any larger number. */
export type UnreadRoom = {
  id: number
  unread: number
}

/** The rooms that were asked for, without those that are closed or that you are not a member of. */
export type UnreadRooms = {
  rooms: UnreadRoom[]
}

/** A mirror that the account may use. `is_default`: its files go there unless others are named. */
export type UsableMirrorModel = {
  id: number
  name: string
  kind: string
  is_default: boolean
  is_well: boolean
}

/** The mirrors that the account may use. */
export type UsableMirrors = {
  mirrors: UsableMirrorModel[]
}

/** The use of accounts, of all guests together, and of the place. `next`: the `after` of the next page. */
export type UsageList = {
  usage: AccountUsage[]
  next: string | null
  total: number
  guests: UsageModel
  place: UsageModel
}

/** The use of an account. A file counts with its size, also if others have the same content. */
export type UsageModel = {
  bytes: number
  files: number
  reserved_bytes: number
  limits: LimitsModel
  own_limits: boolean
}

/** A queue: the messages that no worker has taken. `oldest_seconds` null: there is none, or its age is unknown. */
export type WaitingMessages = {
  name: string
  depth: number
  oldest_seconds: number | null
}

/** Rows that wait for a sweep or a worker. */
export type WaitingRows = {
  service: string
  name: string
  rows: number
}

/** More mirrors on which a file is wanted; null: those of the owner's choice. */
export type Wanted = {
  mirrors?: number[] | null
}

/** New values; null leaves what there is. Whatever is changed, the next event is sent at once. */
export type WebhookChanges = {
  url?: string | null
  events?: ('share.made' | 'share.complete' | 'share.fetched' | 'share.ended' | 'drop.filled' | 'file.arrived' | 'mirror.failed' | 'disk.low')[] | null
  enabled?: boolean | null
}

/** A URL to call with `POST`. `everybody`: for the shares of all accounts and guests; administrators only. */
export type WebhookRequest = {
  url: string
  events: ('share.made' | 'share.complete' | 'share.fetched' | 'share.ended' | 'drop.filled' | 'file.arrived' | 'mirror.failed' | 'disk.low')[]
  everybody?: boolean
}

/**
 * A webhook. `waiting`: the number of events that are still to be sent; `error`: the failure of the last call;
 * `dropped`: the number of events that were never sent, because too many were waiting.
 *
 * `secret` verifies the signatures of calls (Standard Webhooks).
 */
export type WebhookView = {
  id: string
  url: string
  events: string[]
  everybody: boolean
  enabled: boolean
  secret: string
  created_at: string
  called_at: string | null
  error: string | null
  failures: number
  waiting: number
  dropped: number
}

/** Webhooks, the newest first. */
export type WebhooksView = {
  webhooks: WebhookView[]
}

/** An account, as its owner and administrators see it. */
export type WholeAccountAnswer = {
  id: string
  name: string
  role: Role
  email: string | null
  created_at: string
  mixed_scripts: string[]
}

/** The workers of a queue. `healthy`: one was there within the last 20 seconds. */
export type WorkerState = {
  name: string
  processes: number
  healthy: boolean
}
