import { expect, it } from 'vitest'
import type { Message } from '../api/rooms'
import { after, merged, renewed, resumedAfter, type RoomEvent, SILENCE, typists, visibility } from './events'

const message = (id: string, text = id): Message => ({
  id,
  author: 'a',
  name: 'ann',
  text,
  created_at: '',
  edited: false,
  reply_to: null,
  file: null,
})

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
  let talk = after(SILENCE, { type: 'message', ...message('1-0', 'one') }, 0)
  talk = after(talk, { type: 'edit', message_id: '1-0', text: 'two' }, 0)
  expect(talk.messages).toMatchObject([{ text: 'two', edited: true }])
  const here = (...names: string[]) => names.map((name) => ({ account_id: name[0]!, name }))
  talk = after(talk, { type: 'presence', online: here('ann', 'bob'), offline: [], complete: true }, 0)
  talk = after(talk, { type: 'presence', online: here('cid'), offline: [{ account_id: 'a' }], complete: false }, 0)
  expect([...talk.online.values()]).toEqual(['bob', 'cid'])
  expect(after(talk, { type: 'delete', message_id: '1-0' }, 0).messages).toEqual([])
  expect(after(talk, { type: 'joined', id: '3-0' }, 0)).toBe(talk)
})

it('knows who is typing, until a message comes or nothing more does', () => {
  const talk = after(after(SILENCE, { type: 'typing', account_id: 'a', name: 'ann' }, 0), { type: 'typing', account_id: 'b', name: 'bob' }, 0)
  expect(typists(talk, 'b', 1000)).toEqual(['ann'])
  expect(typists(talk, undefined, 9000)).toEqual([])
  expect(typists(after(talk, { type: 'message', ...message('1-0') }, 0), undefined, 0)).toEqual(['bob'])
})

it('resumes after the last event that has an id', () => {
  const presence: RoomEvent = { type: 'presence', online: [], offline: [], complete: true, last_event: '5-0' }
  expect(resumedAfter('', presence)).toBe('5-0')
  expect(resumedAfter('10-0', presence)).toBe('10-0')
  expect(resumedAfter('5-0', { type: 'message', ...message('10-0') })).toBe('10-0')
  expect(resumedAfter('5-0', { type: 'typing', account_id: 'a', name: 'ann' })).toBe('5-0')
})

it('lets messages fade before they are gone', () => {
  expect(visibility(0, 0, 100)).toBe(1)
  expect(visibility(0, 79_000, 100)).toBe(1)
  expect(visibility(0, 95_000, 100)).toBeLessThan(0.7)
  expect(visibility(0, 100_000, 100)).toBe(0)
})
