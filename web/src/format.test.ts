import { describe, expect, it } from 'vitest'
import { duration, ending, percent, size, speed } from './format'

describe('figures', () => {
  it.each([
    [0, '0 bytes'],
    [999, '999 bytes'],
    [1000, '1 kB'],
    [214_000, '214 kB'],
    [1_340_000_000, '1.34 GB'],
    [48_600_000, '48.6 MB'],
  ])('%d bytes', (bytes, shown) => expect(size(bytes, 'en')).toBe(shown))

  it('never calls complete what is not', () => {
    expect(percent(999_999, 1_000_000, 'en')).toBe('99%')
    expect(percent(1_000_000, 1_000_000, 'en')).toBe('100%')
    expect(percent(0, 0, 'en')).toBe('100%')
  })

  it.each([
    [-5, '0 sec'],
    [19_000, '19 sec'],
    [61_000, '1 min 1 sec'],
    [23 * 3_600_000 + 59 * 60_000, '23 hr 59 min'],
    [7 * 86_400_000, '7 days'],
  ])('%d ms', (milliseconds, shown) => expect(duration(milliseconds, 'en')).toBe(shown))

  it('says how fast', () => expect(speed(41_000_000.4, 'en')).toBe('41 MB/s'))

  it.each([
    ['photo.JPEG', 'JPEG'],
    ['archive.tar.gz', 'GZ'],
    ['README', ''],
    ['trick.<b>', ''],
  ])('the type of %s', (name, shown) => expect(ending(name)).toBe(shown))
})
