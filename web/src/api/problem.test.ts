import { expect, it } from 'vitest'
import { mayAskAgain, Problem } from './problem'

it('asks again for what may be there in a moment, and tells whoever has to wait for longer', () => {
  const refused = (status: number, seconds: number | null) => new Problem(status, 'code', '', seconds)
  for (const error of [refused(0, null), refused(503, 5), refused(429, 1), new TypeError('Failed to fetch')]) expect(mayAskAgain(0, error)).toBe(true)
  for (const error of [refused(404, null), refused(429, 60), refused(429, 86_400)]) expect(mayAskAgain(0, error)).toBe(false)
  expect(mayAskAgain(5, refused(503, 5))).toBe(false)
})
