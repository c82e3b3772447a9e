/**
 * Whether a file may be of a type that the rules allow: extensions (`zip`), or media types (`image/*`), which the browser
 * knows for most files. If it does not, the server decides.
 */
export function isAllowed(name: string, type: string, rules: readonly string[]): boolean {
  if (rules.length === 0) return true
  return rules.some((rule) => {
    const wanted = rule.trim().toLowerCase()
    if (wanted === '*' || wanted === '*/*') return true
    if (!wanted.includes('/')) return name.toLowerCase().endsWith(`.${wanted.replace(/^\.+/, '')}`)
    if (type === '') return true
    return wanted.endsWith('/*') ? type.startsWith(wanted.slice(0, -1)) : type === wanted
  })
}
