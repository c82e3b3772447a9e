import { expect, it } from 'vitest'
import { isMixed } from './letters'

it.each([
  ['ann', false],
  ['Zoë 你好', false],
  ['анна', false],
  ['аnn', true],
  ['αdmin', true],
])('%s', (name, mixed) => expect(isMixed(name)).toBe(mixed))
