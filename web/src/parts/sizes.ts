const UNITS: [string, number][] = [
  ['TB', 1e12],
  ['TiB', 2 ** 40],
  ['GB', 1e9],
  ['GiB', 2 ** 30],
  ['MB', 1e6],
  ['MiB', 2 ** 20],
  ['kB', 1e3],
  ['KiB', 2 ** 10],
]

/** Bytes, as people write them: "2 GB", "1.5GiB", "500". null where it is no size. */
export function sizeIn(text: string): number | null {
  const [, figure, unit] = /^\s*([0-9]+(?:[.,][0-9]+)?)\s*([a-z]*)\s*$/i.exec(text) ?? []
  if (figure === undefined || unit === undefined) return null
  const factor = /^(b|bytes?)?$/i.test(unit) ? 1 : UNITS.find(([name]) => [name, name.replace(/B$/, '')].some((each) => each.toLowerCase() === unit.toLowerCase()))?.[1]
  const bytes = factor && Math.round(Number(figure.replace(',', '.')) * factor)
  return bytes !== undefined && Number.isSafeInteger(bytes) ? bytes : null
}

/** The same size, in the largest unit in which it is short and exact. */
export function sizeText(bytes: number | null): string {
  if (bytes === null) return ''
  const fits = ([, factor]: [string, number]) => bytes >= factor && Number.isInteger((bytes / factor) * 100)
  const found = UNITS.find(fits)
  return found ? `${bytes / found[1]} ${found[0]}` : String(bytes)
}
