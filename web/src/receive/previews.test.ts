import { expect, it } from 'vitest'
import { previewKind } from './previews'

it.each([
  ['a.JPG', 'image'],
  ['film.mp4', 'video'],
  ['song.flac', 'audio'],
  ['Ticket.PDF', 'pdf'],
  ['README.md', 'markdown'],
  ['main.rs', 'text'],
  ['logo.svg', null],
  ['page.html', null],
  ['mp4', null],
  ['a.png.exe', null],
])('%s', (name, kind) => expect(previewKind(name)).toBe(kind))
