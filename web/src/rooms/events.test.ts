import { expect, it } from 'vitest'
import type { Message } from '../api/rooms'
import { after, merged, renewed, SILENCE, visibility } from './events'

const message = (id: string, text = id): Message => ({ id, author: 'a', name: 'ann', text, created_at: '', edited: false, file: null })

it('keeps each message once and in order', () => {
  const ids = merged([message('9-1'), message('10-0')], [message('9-0'), message('10-0')]).map(({ id }) => id)
  expect(ids).toEqual(['9-0', '9-1', '10-0'])
})

it('believes what was just read, and only what came since of what it knew', () => {
  const known = [message('1-0', 'deleted meanwhile'), message('2-0', 'before it was edited'), message('4-0', 'newer')]
  const texts = renewed(known, [message('2-0', 'edited'), message('3-0', 'missed')]).map(({ text }) => text)
  expect(texts).toEqual(['edited', 'missed', 'newer'])
})

it('follows what happens in a room', () => {
  let talk = after(SILENCE, { type: 'message', ...message('1-0', 'one') })
  talk = after(talk, { type: 'edit', message_id: '1-0', text: 'two' })
  expect(talk.messages).toMatchObject([{ text: 'two', edited: true }])
  talk = after(talk, { type: 'presence', online: ['a', 'b'], complete: true })
  talk = after(talk, { type: 'presence', offline: ['a'] })
  expect([...talk.online]).toEqual(['b'])
  expect(after(talk, { type: 'delete', message_id: '1-0' }).messages).toEqual([])
  expect(after(talk, { type: 'typing' })).toBe(talk)
})

it('lets messages fade before they are gone', () => {
  expect(visibility(0, 0, 100)).toBe(1)
  expect(visibility(0, 79_000, 100)).toBe(1)
  expect(visibility(0, 95_000, 100)).toBeLessThan(0.7)
  expect(visibility(0, 100_000, 100)).toBe(0)
})
