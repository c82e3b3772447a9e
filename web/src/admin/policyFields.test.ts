import { expect, it } from 'vitest'
import { admin } from './words/en'
import { conflicts, GROUPS, others } from './policyFields'

it('has words for every rule', () => {
  const names = Object.values(GROUPS).flatMap((fields) => fields.map(({ name }) => name))
  expect(names.filter((name) => !(name in admin.policy.fields))).toEqual([])
})

it('shows rules that it does not know', () =>
  expect(others({ name: 'x', new_switch: true, new_limit: null, new_quota: 'unlimited', new_list: ['a'] })).toEqual([
    { name: 'new_switch', kind: 'switch' },
    { name: 'new_limit', kind: 'count', empty: null },
    { name: 'new_quota', kind: 'count', empty: 'unlimited' },
    { name: 'new_list', kind: 'lines' },
  ]))

it('finds what two administrators wanted differently', () => {
  const before = { name: 'A', accent: '#000000', notices: [] }
  const theirs = { name: 'B', accent: '#000000', notices: ['x'] }
  expect(conflicts({ name: 'C', accent: '#ffffff' }, before, theirs)).toEqual(['name'])
  expect(conflicts({ notices: ['x'] }, before, theirs)).toEqual([])
})
