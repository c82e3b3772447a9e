/** How a rule is shown and typed. `days`, `minutes`: the value is in seconds; `share`: from 0 to 1. */
export type Kind = 'line' | 'text' | 'lines' | 'size' | 'count' | 'switch' | 'colour' | 'styles' | 'share' | 'days' | 'minutes'
/** What lifts a quota, whatever the environment says. */
export const UNLIMITED = 'unlimited'
/** `empty`: what an empty field means, if it may be empty; null is the environment's value. */
export type Field = { name: string; kind: Kind; empty?: null | typeof UNLIMITED }

/** The rules of `/v1/policy`, in groups. Their words are in `policy.fields`. */
export const GROUPS = {
  looks: [
    { name: 'name', kind: 'line' },
    { name: 'description', kind: 'text' },
    { name: 'accent', kind: 'colour' },
    { name: 'notices', kind: 'lines' },
    { name: 'keywords', kind: 'line' },
    { name: 'robots', kind: 'text' },
  ],
  sending: [
    { name: 'open_upload', kind: 'switch' },
    { name: 'upload_size', kind: 'size' },
    { name: 'allowed_file_types', kind: 'lines' },
    { name: 'expire_styles', kind: 'styles' },
    { name: 'max_save_seconds', kind: 'days' },
    { name: 'code_length', kind: 'count' },
    { name: 'chosen_code_length', kind: 'count' },
    { name: 'numeric_codes', kind: 'switch' },
    { name: 'enable_chunk', kind: 'switch' },
  ],
  accounts: [
    { name: 'registration', kind: 'switch' },
    { name: 'account_bytes', kind: 'size', empty: UNLIMITED },
    { name: 'account_files', kind: 'count', empty: UNLIMITED },
    { name: 'guest_bytes', kind: 'size', empty: UNLIMITED },
    { name: 'guest_files', kind: 'count', empty: UNLIMITED },
    { name: 'place_bytes', kind: 'size', empty: UNLIMITED },
    { name: 'place_files', kind: 'count', empty: UNLIMITED },
  ],
  rooms: [
    { name: 'room_capacity_max', kind: 'count', empty: null },
    { name: 'room_lifetime_max_seconds', kind: 'minutes', empty: null },
    { name: 'room_members', kind: 'count', empty: null },
    { name: 'rooms_per_account', kind: 'count', empty: null },
    { name: 'public_rooms', kind: 'count', empty: null },
    { name: 'public_rooms_per_account', kind: 'count', empty: null },
  ],
  abuse: [
    { name: 'upload_count', kind: 'count' },
    { name: 'upload_minute', kind: 'count' },
    { name: 'error_count', kind: 'count' },
    { name: 'error_minute', kind: 'count' },
    { name: 'login_count', kind: 'count' },
    { name: 'login_minute', kind: 'count' },
    { name: 'trusted_origins', kind: 'lines' },
  ],
  records: [
    { name: 'audit_days', kind: 'count' },
    { name: 'admin_session_days', kind: 'count' },
  ],
  filecodebox: [
    { name: 'explain', kind: 'text' },
    { name: 'notify_title', kind: 'line' },
    { name: 'notify_content', kind: 'text' },
    { name: 'opacity', kind: 'share' },
    { name: 'background', kind: 'line' },
    { name: 'show_admin_address', kind: 'switch' },
  ],
} as const satisfies Record<string, readonly Field[]>

export type Group = keyof typeof GROUPS
const KNOWN = new Set<string>(Object.values(GROUPS).flatMap((fields) => fields.map(({ name }) => name)))

/** The rules that this page has no words for, by what their values look like: a newer server may have some. */
export function others(values: Record<string, unknown>): Field[] {
  return Object.entries(values)
    .filter(([name]) => !KNOWN.has(name))
    .map(([name, value]) => ({ name, ...guessed(value) }))
}

function guessed(value: unknown): Omit<Field, 'name'> {
  if (typeof value === 'boolean') return { kind: 'switch' }
  if (typeof value === 'number') return { kind: 'count' }
  if (Array.isArray(value)) return { kind: 'lines' }
  if (value === UNLIMITED) return { kind: 'count', empty: UNLIMITED }
  if (value === null) return { kind: 'count', empty: null }
  return { kind: 'line' }
}

/** Equal as JSON. */
export const isSame = (one: unknown, other: unknown) => JSON.stringify(one) === JSON.stringify(other)

/** Which of the changes of one administrator another has made otherwise meanwhile. */
export function conflicts(mine: Record<string, unknown>, before: Record<string, unknown>, theirs: Record<string, unknown>): string[] {
  return Object.keys(mine).filter((name) => !isSame(before[name], theirs[name]) && !isSame(mine[name], theirs[name]))
}
