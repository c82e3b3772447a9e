/** The addresses from which the page starts programs: its own parts, and its service worker. Nothing else becomes one. */
const OWN = /^\/(assets\/[\w.-]+\.js|worker\.js)$/

type Policy = { createScriptURL: (url: string) => unknown }
type Types = { createPolicy: (name: string, rules: { createScriptURL: (url: string) => string }) => Policy }

// Only some browsers have Trusted Types; in these, an address that is a program has to come from a policy.
const policy = (globalThis as { trustedTypes?: Types }).trustedTypes?.createPolicy('page', {
  createScriptURL: (url) => {
    const { origin, pathname } = new URL(url, location.href)
    if (origin !== location.origin || !(OWN.test(pathname) || import.meta.env.DEV)) throw new TypeError(`${url} is no part of the page`)
    return url
  },
})

/** The address of a program of the page's own, as the browser wants it. */
export function scriptUrl(url: string): string {
  return (policy?.createScriptURL(url) ?? url) as string
}
