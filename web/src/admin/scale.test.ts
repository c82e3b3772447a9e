import { expect, it } from 'vitest'
import { niceTop } from './scale'

it.each([
  [0, 1],
  [1, 1],
  [3, 5],
  [5_000_001, 10_000_000],
  [0.3, 0.5],
  [NaN, 1],
])('%d', (most, top) => expect(niceTop(most)).toBeCloseTo(top))
