const KEY = 'waystation.invited'
const PLACE = /^\/rooms\/\d{1,19}#invitation=[\w-]{1,256}$/

/** The token in the part of an invitation's link that browsers send to no server. */
export function invitationIn(hash: string): string | null {
  return /^#invitation=([\w-]{1,256})$/.exec(hash)?.[1] ?? null
}

/** Keep the invitation of this page's address until its reader has signed in. */
export function keepInvited() {
  const place = location.pathname + location.hash
  if (PLACE.test(place)) sessionStorage.setItem(KEY, place)
}

/** The place to which an invitation led that was kept, once. */
export function takeInvited(): string | null {
  const place = sessionStorage.getItem(KEY)
  sessionStorage.removeItem(KEY)
  return place && PLACE.test(place) ? place : null
}
