import { moment } from '../format'

const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/

/** A value as it is read: a moment in the reader's zone, an empty text as such. */
export function shown(value: unknown, language: string): string {
  if (value === null || value === undefined) return '—'
  if (typeof value === 'string' && INSTANT.test(value) && !Number.isNaN(Date.parse(value))) return moment(value, language)
  const text = typeof value === 'string' && value !== '' ? value : JSON.stringify(value)
  return text.length > 120 ? `${text.slice(0, 119)}…` : text
}
