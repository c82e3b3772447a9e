// The service worker of the page. It keeps the page itself, so that an installed one opens without a network, and takes
// what other apps share with it. Answers of the API, downloads and codes never pass through its memory.

const SHELL = 'shell'
const SHARED = 'shared'
const LIMIT = 150
const PLACES = /^\/($|(rooms|mine|admin)(\/|$)|(sign-in|register|reset)$)/
const CODES = /^\/[cd]\/[^/]+$/
const PART = /^\/(assets\/[^/]+|favicon\.svg|icons\/[^/]+|manifest\.webmanifest)$/

self.addEventListener('install', (event) => {
  void self.skipWaiting()
  // Calls go past this program where browsers can do that: they are faster, and a page that is left can still finish its last one.
  if (event.addRoutes) event.waitUntil(event.addRoutes({ condition: { urlPattern: '/v1/*' }, source: 'network' }).catch(() => undefined))
})
self.addEventListener('activate', (event) => event.waitUntil(self.clients.claim()))

self.addEventListener('fetch', (event) => {
  const { request } = event
  const url = new URL(request.url)
  if (url.origin !== location.origin) return
  if (request.method === 'POST' && url.pathname === '/share-target') event.respondWith(taken(request))
  else if (request.method !== 'GET') return
  else if (url.pathname.startsWith('/assets/')) event.respondWith(part(request))
  else if (request.mode !== 'navigate') return
  else if (PLACES.test(url.pathname)) event.respondWith(place(request, true))
  else if (CODES.test(url.pathname)) event.respondWith(place(request, false))
})

/** The document of the page: the newest, and without a network the one that was seen last. Its address is not kept. */
async function place(request, isKept) {
  try {
    const answer = await fetch(request)
    const isPage = answer.ok && (answer.headers.get('Content-Type') ?? '').startsWith('text/html')
    if (isKept && isPage && !answer.redirected) await (await caches.open(SHELL)).put('/', answer.clone())
    return answer
  } catch (error) {
    const known = await caches.match('/', { cacheName: SHELL })
    if (known) return known
    throw error
  }
}

/** A part of the page. Its name has the digest of its content, so one that is known is the right one. */
async function part(request) {
  const cache = await caches.open(SHELL)
  const known = await cache.match(request)
  if (known) return known
  const answer = await fetch(request)
  if (answer.status === 200 && PART.test(new URL(request.url).pathname)) {
    await cache.put(request, answer.clone())
    // The oldest go: an open page of the version before still finds its parts.
    const names = await cache.keys()
    await Promise.all(names.slice(0, Math.max(0, names.length - LIMIT)).map((name) => cache.delete(name)))
  }
  return answer
}

/** Keep what another app shares until the page takes it, which asks before it sends anything: any site can post here. */
async function taken(request) {
  await caches.delete(SHARED)
  const cache = await caches.open(SHARED)
  try {
    const form = await request.formData()
    const files = form.getAll('files').filter((each) => each instanceof File && (each.name || each.size > 0))
    // With files, the title is mostly the name of one.
    const text = [...(files.length > 0 ? [] : ['title']), 'text', 'url'].map((name) => form.get(name)).filter((each) => typeof each === 'string' && each)
    await Promise.all(
      files.map((file, at) => cache.put(`/shared/${at}`, new Response(file, { headers: { 'X-Name': encodeURIComponent(file.name) } }))),
    )
    if (text.length > 0) await cache.put('/shared/text', new Response([...new Set(text)].join('\n')))
  } catch {
    // What cannot be read is not there; the page then only opens.
  }
  return Response.redirect('/?shared', 303)
}
