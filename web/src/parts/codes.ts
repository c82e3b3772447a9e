const CODE = /^[A-Za-z0-9_-]{1,64}$/

/** The code in what somebody typed or pasted: a code, with spaces perhaps, or a link to one. */
export function codeIn(typed: string): string | null {
  const [, linked] = /\/c\/([^/?#\s]+)/.exec(typed) ?? []
  const words = (linked ?? typed).trim().split(/\s+/)
  // The words of a long code are often written with spaces, and the letters of a short one too.
  const joined = words.every((word) => word.length > 2) ? words.join('-') : words.join('')
  // Codes are the same in small letters and in capitals.
  return CODE.test(joined) ? joined.toUpperCase() : null
}
