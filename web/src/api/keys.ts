/** A key by which the server knows a request again that is sent once more. */
// crypto.randomUUID needs https, and the system may run without.
export function randomKey(): string {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, '0')).join('')
}

/** The keys of requests of one kind: what is asked again, after its answer was lost, has the key that it had. */
export class Attempts {
  private last: { same: string; key: string } | null = null

  keyOf(wanted: unknown): string {
    const same = JSON.stringify(wanted)
    if (this.last?.same !== same) this.last = { same, key: randomKey() }
    return this.last.key
  }

  /** The answer came; the same once more is something new. */
  succeeded() {
    this.last = null
  }
}
