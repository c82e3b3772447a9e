import { expect, it } from 'vitest'
import { usualTitle } from './titles'

it.each([
  [[], null],
  [['report.pdf'], 'report.pdf'],
  [['photos/a.jpg', 'photos/b.jpg', 'c'], 'a.jpg +2'],
])('%s', (names, title) => expect(usualTitle(names)).toBe(title))

it('is not too long', () => expect(usualTitle(['x'.repeat(300), 'y'])).toHaveLength(200))
