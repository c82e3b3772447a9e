import { expect, it } from 'vitest'
import { codeIn } from './codes'

it.each([
  ['7K2QF', '7K2QF'],
  [' 7k2qf ', '7K2QF'],
  ['7 K 2 Q F', '7K2QF'],
  ['https://files.example.org/c/7K2QF?x=1', '7K2QF'],
  ['river stone lamp cloud', 'RIVER-STONE-LAMP-CLOUD'],
  ['', null],
  ['../admin', null],
  ['<script>', null],
])('%s', (typed, code) => expect(codeIn(typed)).toBe(code))
