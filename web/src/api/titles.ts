const LONGEST = 200

/** The title of a share whose sender gave none, in no language: by it the share is found again in a list. */
export function usualTitle(names: readonly string[]): string | null {
  const [first] = names
  if (first === undefined) return null
  const last = first.split('/').at(-1)!
  const more = names.length > 1 ? ` +${names.length - 1}` : ''
  return last.slice(0, LONGEST - more.length) + more
}
