import { expect, it } from 'vitest'
import { sizeIn, sizeText } from './sizes'

it.each([
  ['2 GB', 2_000_000_000],
  ['1.5GiB', 1_610_612_736],
  ['1,5 kb', 1500],
  ['500', 500],
  ['10 M', 10_000_000],
  ['', null],
  ['-1', null],
  ['much', null],
  ['1e30', null],
  ['99999999 TB', null],
])('%s', (text, bytes) => expect(sizeIn(text)).toBe(bytes))

it.each([2_000_000_000, 1_610_612_736, 1, 104_857_600, 123_456_789, 1_234])('keeps %d', (bytes) => expect(sizeIn(sizeText(bytes))).toBe(bytes))
it('shows nothing for no limit', () => expect(sizeText(null)).toBe(''))
