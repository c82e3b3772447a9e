import { expect, it, vi } from 'vitest'
import { insist } from './events'
import { Problem } from './problem'

const passing = new Problem(503, 'unavailable', '')
const final = new Problem(410, 'share_ended', '')

it('asks again while a problem passes', async () => {
  vi.useFakeTimers()
  const ask = vi.fn().mockRejectedValueOnce(passing).mockRejectedValueOnce(passing).mockResolvedValue('answer')
  const answer = insist(ask, new AbortController().signal)
  await vi.runAllTimersAsync()
  expect(await answer).toBe('answer')
  expect(ask).toHaveBeenCalledTimes(3)
  vi.useRealTimers()
})

it('does not ask again when the problem stays', async () => {
  const ask = vi.fn().mockRejectedValue(final)
  await expect(insist(ask, new AbortController().signal)).rejects.toBe(final)
  expect(ask).toHaveBeenCalledTimes(1)
})

it('waits as long as the server asks for', async () => {
  vi.useFakeTimers()
  const ask = vi.fn().mockRejectedValueOnce(new Problem(429, 'rate_limited', '', 20)).mockResolvedValue('answer')
  const answer = insist(ask, new AbortController().signal)
  await vi.advanceTimersByTimeAsync(19_000)
  expect(ask).toHaveBeenCalledTimes(1)
  await vi.advanceTimersByTimeAsync(2000)
  expect(await answer).toBe('answer')
  vi.useRealTimers()
})
