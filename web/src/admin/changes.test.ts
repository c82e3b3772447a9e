import { expect, it } from 'vitest'
import { shown } from './changes'

it.each([
  [null, '—'],
  ['', '""'],
  ['Ben', 'Ben'],
  [false, 'false'],
  [{ root: '/srv' }, '{"root":"/srv"}'],
  ['2026-13-45T99:00:00Z', '2026-13-45T99:00:00Z'],
  ['x'.repeat(121), `${'x'.repeat(119)}…`],
])('shows a value of an entry as it is read: %j', (value, text) => expect(shown(value, 'en')).toBe(text))

it('shows a moment in the words and the zone of its reader', () => {
  const expected = new Intl.DateTimeFormat('en', { dateStyle: 'medium', timeStyle: 'short' }).format(new Date('2026-12-07T16:13:24Z'))
  expect(shown('2026-12-07T16:13:24.421840+00:00', 'en')).toBe(expected)
})
