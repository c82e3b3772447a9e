import type { ExpireStyle, Site } from '../api/site'

/** How long a share is kept. */
export type Life = { style: ExpireStyle; value: number }
export type Options = { life: Life; downloads: number | null; password: string; words: boolean }

const SECONDS: Record<string, number> = { minute: 60, hour: 3600, day: 86400 }
const OFFERED: Life[] = [
  { style: 'minute', value: 10 },
  { style: 'hour', value: 1 },
  { style: 'hour', value: 12 },
  { style: 'day', value: 1 },
  { style: 'day', value: 7 },
  { style: 'day', value: 30 },
  { style: 'forever', value: 1 },
]

/** The lives that the administrator allows, from the shortest. */
export function lives(site: Site): Life[] {
  const longest = site.longest_life_seconds ?? Infinity
  const allowed = OFFERED.filter(({ style, value }) => site.expire_styles.includes(style) && seconds(style, value) <= longest)
  return allowed.length > 0 ? allowed : [{ style: site.expire_styles[0] ?? 'day', value: 1 }]
}

function seconds(style: ExpireStyle, value: number): number {
  return style === 'forever' ? (value > 0 ? Number.MAX_SAFE_INTEGER : 0) : (SECONDS[style] ?? 0) * value
}

export function usual(site: Site): Options {
  const offered = lives(site)
  const life = offered.find(({ style, value }) => style === 'day' && value === 1) ?? offered[0]!
  return { life, downloads: null, password: '', words: false }
}

export const nameOf = ({ style, value }: Life) => `${style}-${value}`
