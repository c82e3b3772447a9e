import type { Gathered } from './gathering'

/** What another app shared with the installed page, as the service worker keeps it. */
export type Shared = { files: Gathered[]; text: string | null }

const CACHE = 'shared'

/** Take what was shared, if that is why the page was opened; it is there only once. */
export async function takeShared(): Promise<Shared | null> {
  if (!new URLSearchParams(location.search).has('shared') || !('caches' in globalThis)) return null
  history.replaceState(history.state, '', '/')
  const cache = await caches.open(CACHE)
  const files: Gathered[] = []
  for (let at = 0; ; at++) {
    const kept = await cache.match(`/shared/${at}`)
    if (!kept) break
    const name = decodeURIComponent(kept.headers.get('X-Name') ?? '') || 'file'
    files.push({ file: new File([await kept.blob()], name), name })
  }
  const text = (await (await cache.match('/shared/text'))?.text()) ?? null
  await caches.delete(CACHE)
  return files.length > 0 || text ? { files, text } : null
}
