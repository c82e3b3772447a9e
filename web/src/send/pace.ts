/** Bytes a second over the last few seconds, and from that the time that is left. */
export class Pace {
  private readonly seen: { at: number; bytes: number }[] = []
  private readonly window: number

  constructor(windowMilliseconds = 4000) {
    this.window = windowMilliseconds
  }

  note(bytes: number, at: number) {
    const last = this.seen.at(-1)
    if (last && at - last.at < 200) return
    this.seen.push({ at, bytes })
    while (this.seen.length > 2 && at - this.seen[0]!.at > this.window) this.seen.shift()
  }

  forget() {
    this.seen.length = 0
  }

  get bytesPerSecond(): number | null {
    const [first, last] = [this.seen[0], this.seen.at(-1)]
    if (!first || !last || last.at - first.at < 800) return null
    return Math.max(0, ((last.bytes - first.bytes) / (last.at - first.at)) * 1000)
  }

  millisecondsFor(bytes: number): number | null {
    const speed = this.bytesPerSecond
    return speed ? (bytes / speed) * 1000 : null
  }
}
