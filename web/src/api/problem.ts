/** An answer that is not a success (RFC 9457), or that never came (`offline`). */
export class Problem extends Error {
  readonly status: number
  readonly code: string
  readonly retryAfter: number | null

  constructor(status: number, code: string, detail: string, retryAfter: number | null = null) {
    super(detail)
    this.status = status
    this.code = code
    this.retryAfter = retryAfter
  }

  /** Whether the same request may succeed a little later. */
  get isPassing(): boolean {
    return this.status === 0 || this.status === 429 || this.status >= 500
  }
}

const ATTEMPTS = 5
/** Nobody looks at an empty page for longer. Whoever is to wait until tomorrow, after too many wrong codes, is told so. */
const PATIENCE_SECONDS = 10

/** Whether to ask again by ourselves for what the page needs. */
export const mayAskAgain = (failures: number, error: unknown): boolean =>
  failures < ATTEMPTS && (!(error instanceof Problem) || (error.isPassing && (error.retryAfter ?? 0) <= PATIENCE_SECONDS))

export const OFFLINE = 'offline'

export async function problemOf(answer: Response): Promise<Problem> {
  const retryAfter = Number(answer.headers.get('Retry-After'))
  const body: unknown = await answer.json().catch(() => null)
  const { code, detail } = (body ?? {}) as { code?: unknown; detail?: unknown }
  return new Problem(
    answer.status,
    typeof code === 'string' ? code : `status_${answer.status}`,
    typeof detail === 'string' ? detail : answer.statusText,
    Number.isFinite(retryAfter) && retryAfter > 0 ? retryAfter : null,
  )
}
