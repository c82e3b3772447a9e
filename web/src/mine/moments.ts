/** The value of a browser's field for a date and a time of the reader's zone. */
export function asField(moment: string | null): string {
  if (moment === null) return ''
  const date = new Date(moment)
  const local = new Date(date.getTime() - date.getTimezoneOffset() * 60_000)
  return Number.isNaN(local.getTime()) ? '' : local.toISOString().slice(0, 16)
}

/** Empty: never. */
export function asMoment(field: string): string | null {
  const date = new Date(field)
  return field === '' || Number.isNaN(date.getTime()) ? null : date.toISOString()
}
