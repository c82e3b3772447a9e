import { expect, it } from 'vitest'
import { Attempts } from './keys'

it('keeps the key of what is asked again, and has another for everything else', () => {
  const attempts = new Attempts()
  const first = attempts.keyOf({ text: 'a' })
  expect(attempts.keyOf({ text: 'a' })).toBe(first)
  attempts.succeeded()
  const next = attempts.keyOf({ text: 'a' })
  expect(next).not.toBe(first)
  expect(attempts.keyOf({ text: 'b' })).not.toBe(next)
})
