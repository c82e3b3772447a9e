const SCRIPTS = [/\p{Script=Latin}/u, /\p{Script=Cyrillic}/u, /\p{Script=Greek}/u, /\p{Script=Armenian}/u, /\p{Script=Cherokee}/u]

/** Whether a name has letters of several scripts that look alike, by which one account may pass for another. */
export function isMixed(name: string): boolean {
  return SCRIPTS.filter((script) => script.test(name)).length > 1
}
