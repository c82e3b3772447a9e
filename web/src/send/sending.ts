import { addItems, endShare, type NewItem, readSent, removeItem, type SentItem, type SentShare } from '../api/shares'
import { events, insist } from '../api/events'
import { Problem } from '../api/problem'
import { session } from '../api/session'
import { isContent } from '../parts/digest'
import type { Gathered } from './gathering'
import { forget, keep, type Kept } from './kept'
import { Pace } from './pace'
import { type Failure, forgetUpload, upload } from './upload'

const AT_ONCE = 3
const AGAIN_MILLISECONDS = 3000

export type PieceState = 'waiting' | 'sending' | 'verifying' | 'ready' | 'failed' | 'paused' | 'lost'

/** `other`: it has arrived, but its beginning was that of another file. */
type Kind = Failure['kind'] | 'other'

/** An item of the share, with what this browser knows of it. */
export type Piece = { item: SentItem; state: PieceState; sent: number; failure: Kind | null }

export type Snapshot = {
  share: SentShare
  pieces: Piece[]
  isPaused: boolean
  isOffline: boolean
  isComplete: boolean
  hasEnded: boolean
  bytesPerSecond: number | null
  millisecondsLeft: number | null
}

/** The sending of one share: which file is sent next, what becomes of each, and what happens when the network goes. */
export class Sending {
  private share: SentShare
  private readonly drop: string
  /** The id of the account that sends; undefined: a guest. */
  readonly account = session.get()?.id
  private readonly files = new Map<string, File>()
  private readonly sent = new Map<string, number>()
  private readonly failures = new Map<string, Kind>()
  /** Files that were chosen for what had begun before; they may be others of the same name and size. */
  private readonly unchecked = new Map<string, 'waiting' | 'reading'>()
  private readonly hidden = new Set<string>()
  private readonly running = new Map<string, (forGood?: boolean) => void>()
  private readonly listeners = new Set<() => void>()
  private readonly pace = new Pace()
  private readonly ended = new AbortController()
  private isPaused = false
  private isOffline = !navigator.onLine
  private again: ReturnType<typeof setTimeout> | undefined
  private drawn = 0
  private current: Snapshot

  constructor(share: SentShare, files: Map<string, File>, drop = '') {
    this.share = share
    this.drop = drop
    for (const [id, file] of files) this.files.set(id, file)
    this.current = this.look()
    addEventListener('online', this.onLine, { signal: this.ended.signal })
    addEventListener('offline', this.offLine, { signal: this.ended.signal })
    addEventListener('beforeunload', this.askBeforeLeaving, { signal: this.ended.signal })
    this.remember()
    void this.listen()
    this.fill()
  }

  readonly subscribe = (listener: () => void) => {
    this.listeners.add(listener)
    return () => void this.listeners.delete(listener)
  }

  readonly snapshot = () => this.current

  pause() {
    this.isPaused = true
    this.stopAll()
    this.tell()
  }

  resume() {
    this.isPaused = false
    this.fill()
    this.tell()
  }

  /** More files into the same share. Throws a `Problem`. */
  async add(gathered: Gathered[]) {
    const known = new Set(this.share.items.map((item) => item.id))
    const share = await addItems(this.share.id, this.share.key, newItems(gathered))
    const added = share.items.filter((item) => !known.has(item.id))
    gathered.forEach(({ file }, at) => added[at] && this.files.set(added[at].id, file))
    this.merge(share)
    this.fill()
  }

  /** Take back files that the browser lost when the page was reloaded. Returns how many of them were missing here. */
  giveBack(gathered: Gathered[]): number {
    const missing = this.share.items.filter((item) => this.stateOf(item) === 'lost')
    let found = 0
    for (const { file, name } of gathered) {
      const at = missing.findIndex((item) => item.size === file.size && sameName(item.name, name))
      const [item] = at < 0 ? [] : missing.splice(at, 1)
      if (item) {
        this.files.set(item.id, file)
        if (item.upload_id !== null) this.unchecked.set(item.id, 'waiting')
        found++
      }
    }
    this.fill()
    this.tell()
    return found
  }

  /** Show an item as removed or not; nothing is removed yet. */
  hide(id: string, isHidden: boolean) {
    if (isHidden) {
      this.hidden.add(id)
      this.stop(id)
    } else this.hidden.delete(id)
    this.fill()
    this.tell()
  }

  async remove(id: string) {
    this.stop(id, true)
    forgetUpload(nameOf(id))
    this.files.delete(id)
    await removeItem(this.share.id, this.share.key, id)
    this.merge({ ...this.share, items: this.share.items.filter((item) => item.id !== id) })
  }

  async end() {
    this.close()
    forget(this.share.id)
    for (const { id } of this.share.items) forgetUpload(nameOf(id))
    await endShare(this.share.id, this.share.key)
  }

  /** Whether leaving it would stop something. */
  isBusy(): boolean {
    return this.current.pieces.some(({ state }) => state === 'sending' || state === 'waiting' || state === 'paused')
  }

  /** Stop watching and sending; what was sent stays. */
  close() {
    this.ended.abort()
    clearTimeout(this.again)
    this.stopAll()
  }

  private readonly onLine = () => {
    this.isOffline = false
    this.fill()
    this.tell()
  }

  private readonly offLine = () => {
    this.isOffline = true
    this.tell()
  }

  private readonly askBeforeLeaving = (event: BeforeUnloadEvent) => {
    if (this.running.size > 0) event.preventDefault()
  }

  private async listen() {
    const { id, key } = this.share
    try {
      const path = `/v1/shares/${id}/events`
      for await (const { event, data } of events(path, { headers: { 'Share-Key': key }, signal: this.ended.signal })) {
        if (event === 'share') this.merge(JSON.parse(data) as SentShare)
        if (event === 'end') this.merge(await insist(() => readSent(id, key), this.ended.signal))
      }
    } catch (error) {
      if (error instanceof Problem && (error.status === 404 || error.status === 410)) {
        this.close()
        forget(id)
        this.tell(true)
      }
    }
  }

  private merge(share: Partial<SentShare>) {
    const tickets = new Map(this.share.items.map((item) => [item.id, item.upload]))
    const told = share.items ?? this.share.items
    const takenBack = this.share.items.filter(({ id }) => this.wasTakenBack(id) && !told.some((item) => item.id === id))
    const items = [...told, ...takenBack].map((item) => ({ ...item, upload: item.upload ?? tickets.get(item.id) ?? null }))
    this.share = { ...this.share, ...share, key: this.share.key, url: share.url ?? this.share.url, items }
    this.remember()
    this.tell()
    for (const item of items) if (item.state === 'ready' && this.unchecked.get(item.id) === 'waiting') void this.check(item)
  }

  private fill() {
    for (const item of this.share.items) {
      if (this.running.size >= AT_ONCE || this.isPaused || this.ended.signal.aborted) break
      if (this.stateOf(item) === 'waiting' && item.upload && !this.hidden.has(item.id)) this.send(item, item.upload)
    }
  }

  private send(item: SentItem, ticket: string) {
    const stop = upload(this.files.get(item.id)!, { name: nameOf(item.id), metadata: { item: ticket }, begun: item.upload_id }, {
      onProgress: (bytes) => {
        this.isOffline = false
        this.sent.set(item.id, bytes)
        this.pace.note(this.bytes(), performance.now())
        this.tellSoon()
      },
      onDone: () => {
        this.running.delete(item.id)
        this.sent.set(item.id, item.size)
        this.update(item.id, 'verifying')
        this.fill()
      },
      onFailed: ({ kind }) => {
        this.running.delete(item.id)
        if (kind === 'changed') this.takeBack(item.id)
        if (kind === 'lost') this.tryAgain()
        else {
          this.failures.set(item.id, kind)
          this.fill()
        }
        this.tell()
      },
    })
    this.running.set(item.id, stop)
  }

  /** Take away what has arrived as a mixture; here it stays, as failed. */
  private takeBack(id: string) {
    const { id: share, key } = this.share
    insist(() => removeItem(share, key, id), this.ended.signal).catch(() => undefined)
  }

  /** Compare what has arrived with the file that was chosen for its rest. */
  private async check({ id, sha256 }: SentItem) {
    this.unchecked.set(id, 'reading')
    const isSame = await isContent(this.files.get(id)!, sha256)
    this.unchecked.delete(id)
    if (this.ended.signal.aborted) return
    if (!isSame) {
      this.failures.set(id, 'other')
      this.takeBack(id)
    }
    this.tell()
  }

  private wasTakenBack(id: string): boolean {
    const failure = this.failures.get(id)
    return failure === 'changed' || failure === 'other'
  }

  private tryAgain() {
    this.isOffline = true
    this.pace.forget()
    clearTimeout(this.again)
    this.again = setTimeout(() => this.fill(), AGAIN_MILLISECONDS)
  }

  /** What this browser knows before the server says it. */
  private update(id: string, state: SentItem['state']) {
    const items = this.share.items.map((item) => (item.id === id && item.state !== 'ready' ? { ...item, state } : item))
    this.share = { ...this.share, items }
    this.tell()
  }

  private stop(id: string, forGood = false) {
    this.running.get(id)?.(forGood)
    this.running.delete(id)
  }

  private stopAll() {
    for (const id of [...this.running.keys()]) this.stop(id)
    this.pace.forget()
  }

  private stateOf(item: SentItem): PieceState {
    if (this.wasTakenBack(item.id)) return 'failed'
    if (item.state === 'ready' && this.unchecked.has(item.id)) return 'verifying'
    if (item.state === 'ready' || item.state === 'verifying' || item.state === 'failed') return item.state
    if (this.failures.has(item.id)) return 'failed'
    if (!this.files.has(item.id)) return 'lost'
    if (this.running.has(item.id)) return 'sending'
    return this.isPaused ? 'paused' : 'waiting'
  }

  private sentOf(item: SentItem): number {
    if (item.state === 'ready' || item.state === 'verifying') return item.size
    return this.sent.get(item.id) ?? item.received
  }

  private bytes(): number {
    return this.share.items.reduce((sum, item) => sum + this.sentOf(item), 0)
  }

  private look(hasEnded = false): Snapshot {
    const pieces = this.share.items.map((item) => ({
      item,
      state: this.stateOf(item),
      sent: this.sentOf(item),
      failure: this.failures.get(item.id) ?? null,
    }))
    const left = pieces.reduce((sum, { item, sent }) => sum + item.size - sent, 0)
    return {
      share: this.share,
      pieces,
      isPaused: this.isPaused,
      isOffline: this.isOffline && pieces.some(({ state }) => state === 'waiting' || state === 'sending'),
      isComplete: pieces.every(({ state }) => state === 'ready'),
      hasEnded,
      bytesPerSecond: this.running.size > 0 ? this.pace.bytesPerSecond : null,
      millisecondsLeft: this.running.size > 0 ? this.pace.millisecondsFor(left) : null,
    }
  }

  private remember() {
    const [first] = this.share.items
    const { id, key, code, url, title, size, created_at, expires_at, complete, items } = this.share
    const name = title ?? first?.name ?? ''
    const drop = this.drop && { drop: this.drop }
    const account = this.account && { account: this.account }
    keep({ id, key, code, url, name, size, count: items.length, created_at, expires_at, complete, ...drop, ...account } satisfies Kept)
  }

  /** At most ten times a second, which is all that an eye follows. */
  private tellSoon() {
    if (performance.now() - this.drawn > 100) this.tell()
  }

  private tell(hasEnded = false) {
    this.drawn = performance.now()
    this.current = this.look(hasEnded)
    for (const listener of this.listeners) listener()
  }
}

export function newItems(gathered: Gathered[]): NewItem[] {
  return gathered.map(({ file, name }) => ({ name, size: file.size }))
}

/** The name of an item's upload in this browser. */
const nameOf = (item: string) => `item-${item}`

function sameName(kept: string, chosen: string): boolean {
  const last = (path: string) => path.split('/').at(-1)
  return kept === chosen || last(kept) === last(chosen)
}
