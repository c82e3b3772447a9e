import { expect, it } from 'vitest'
import { isAllowed } from './types'

it.each([
  ['a.bin', '', [], true],
  ['a.ZIP', '', ['zip'], true],
  ['a.tar.gz', '', ['.tar.gz'], true],
  ['azip', '', ['zip'], false],
  ['a.png', 'image/png', ['image/*'], true],
  ['a.pdf', 'application/pdf', ['image/*', 'zip'], false],
  ['a', '', ['image/*'], true],
  ['a.exe', '', ['*'], true],
])('%s %s %o', (name, type, rules, allowed) => expect(isAllowed(name, type, rules)).toBe(allowed))
