import { expect, it } from 'vitest'
import { Pace } from './pace'

it('says nothing before it knows anything', () => {
  const pace = new Pace()
  pace.note(0, 0)
  pace.note(1000, 500)
  expect(pace.bytesPerSecond).toBeNull()
  expect(pace.millisecondsFor(1)).toBeNull()
})

it('forgets what was long ago', () => {
  const pace = new Pace(4000)
  for (let second = 0; second <= 20; second++) pace.note(second < 10 ? 0 : (second - 10) * 1_000_000, second * 1000)
  expect(pace.bytesPerSecond).toBeCloseTo(1_000_000, -3)
  expect(pace.millisecondsFor(2_000_000)).toBeCloseTo(2000, -1)
})
