/** The time by which the server's clock is ahead of the browser's, in milliseconds. Countdowns are right even if a device's clock is not. */
let ahead = 0
// The header has whole seconds, and the answer takes a moment.
const TOLERANCE = 3000

export function noteServerTime(date: string | null) {
  const difference = date ? Date.parse(date) - Date.now() : NaN
  if (!Number.isNaN(difference)) ahead = Math.abs(difference) < TOLERANCE ? 0 : difference
}

export const serverNow = (now = Date.now()) => now + ahead
