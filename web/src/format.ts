/** Figures and times in the reader's language and zone. */

const UNITS = ['byte', 'kilobyte', 'megabyte', 'gigabyte', 'terabyte', 'petabyte'] as const
const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

export function size(bytes: number, language: string): string {
  const power = bytes < 1000 ? 0 : Math.min(Math.floor(Math.log10(bytes) / 3), UNITS.length - 1)
  const value = bytes / 1000 ** power
  const digits = power === 0 ? 0 : value < 10 ? 2 : value < 100 ? 1 : 0
  return new Intl.NumberFormat(language, {
    style: 'unit',
    unit: UNITS[power]!,
    unitDisplay: power === 0 ? 'long' : 'short',
    maximumFractionDigits: digits,
  }).format(value)
}

export function speed(bytesPerSecond: number, language: string): string {
  return `${size(Math.round(bytesPerSecond), language)}/s`
}

export function percent(part: number, whole: number, language: string): string {
  // What is not yet there is never "100 %".
  const share = whole === 0 ? 1 : part < whole ? Math.min(part / whole, 0.99) : 1
  return new Intl.NumberFormat(language, { style: 'percent', maximumFractionDigits: 0 }).format(share)
}

/** A length of time in its two largest units, such as "23 hr 59 min". */
export function duration(milliseconds: number, language: string): string {
  const left = Math.max(0, milliseconds)
  const parts: [number, string][] =
    left >= 2 * DAY
      ? [[Math.floor(left / DAY), 'day'], [Math.floor((left % DAY) / HOUR), 'hour']]
      : left >= HOUR
        ? [[Math.floor(left / HOUR), 'hour'], [Math.floor((left % HOUR) / MINUTE), 'minute']]
        : left >= 10 * MINUTE
          ? [[Math.floor(left / MINUTE), 'minute']]
          : left >= MINUTE
            ? [[Math.floor(left / MINUTE), 'minute'], [Math.floor((left % MINUTE) / SECOND), 'second']]
            : [[Math.floor(left / SECOND), 'second']]
  return parts
    .filter(([value], at) => at === 0 || value > 0)
    .map(([value, unit]) => new Intl.NumberFormat(language, { style: 'unit', unit, unitDisplay: 'short' }).format(value))
    .join(' ')
}

export function ago(milliseconds: number, language: string): string {
  const relative = new Intl.RelativeTimeFormat(language, { numeric: 'auto' })
  const past = Math.max(0, milliseconds)
  if (past < MINUTE) return relative.format(0, 'second')
  if (past < HOUR) return relative.format(-Math.floor(past / MINUTE), 'minute')
  if (past < DAY) return relative.format(-Math.floor(past / HOUR), 'hour')
  return relative.format(-Math.floor(past / DAY), 'day')
}

export function moment(time: string | number, language: string): string {
  return new Intl.DateTimeFormat(language, { dateStyle: 'medium', timeStyle: 'short' }).format(new Date(time))
}

/** The short name of a file's type, as it stands on its tile. */
export function ending(name: string): string {
  const found = /\.([a-z0-9]{1,4})$/i.exec(name)
  return found ? found[1]!.toUpperCase() : ''
}
