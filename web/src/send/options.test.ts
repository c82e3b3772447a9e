import { expect, it } from 'vitest'
import { USUAL } from '../api/site'
import { lives, nameOf, usual } from './options'

it('offers one day at first', () => expect(nameOf(usual(USUAL).life)).toBe('day-1'))

it('offers nothing that the administrator forbids', () => {
  const site = { ...USUAL, expire_styles: ['hour', 'forever', 'count'] as const, longest_life_seconds: 4000 }
  expect(lives({ ...site, expire_styles: [...site.expire_styles] }).map(nameOf)).toEqual(['hour-1'])
})

it('always offers something', () => {
  expect(lives({ ...USUAL, expire_styles: ['count'] }).map(nameOf)).toEqual(['count-1'])
  expect(lives({ ...USUAL, expire_styles: [] }).map(nameOf)).toEqual(['day-1'])
})
