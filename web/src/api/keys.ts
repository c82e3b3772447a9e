/** A key by which the server knows a request again that is sent once more. */
// crypto.randomUUID needs https, and the system may run without.
export function randomKey(): string {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, '0')).join('')
}
