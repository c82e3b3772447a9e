import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { act } from 'react'
import { createRoot, type Root } from 'react-dom/client'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import type { ListedRoom } from '../api/rooms'
import { see } from './seen'
import { useUnread } from './useUnread'

const ROOMS = [1, 2, 3].map((id) => ({ id })) as ListedRoom[]
let root: Root
let hidden: boolean
const fetched = vi.fn()

beforeEach(() => {
  vi.stubGlobal('IS_REACT_ACT_ENVIRONMENT', true)
  vi.useFakeTimers()
  localStorage.clear()
  hidden = false
  vi.spyOn(document, 'visibilityState', 'get').mockImplementation(() => (hidden ? 'hidden' : 'visible'))
  fetched.mockReset()
  fetched.mockImplementation(async () => Response.json({ rooms: [1, 2].map((id) => ({ id, unread: id * 4 })) }))
  vi.stubGlobal('fetch', fetched)
  root = createRoot(document.body.appendChild(document.createElement('div')))
})
afterEach(() => {
  act(() => root.unmount())
  document.body.replaceChildren()
  vi.restoreAllMocks()
  vi.useRealTimers()
  vi.unstubAllGlobals()
})

function List({ open }: { open: number | null }) {
  return <p>{[...useUnread(ROOMS, open)].map(([id, count]) => `${id}:${count}`).join(' ')}</p>
}

async function show(open: number | null) {
  act(() =>
    root.render(
      <QueryClientProvider client={new QueryClient()}>
        <List open={open} />
      </QueryClientProvider>,
    ),
  )
  await pass(10)
}

const pass = (milliseconds: number) => act(() => vi.advanceTimersByTimeAsync(milliseconds))
const shown = () => document.querySelector('p')?.textContent
const asked = (call: number) => [fetched.mock.calls[call]?.[0], JSON.parse(fetched.mock.calls[call]?.[1].body)] as const

it('asks once for all rooms, with what was seen of each', async () => {
  see('2', '17-1')
  await show(null)
  const rooms = [
    { id: 1, seen: null },
    { id: 2, seen: '17-1' },
    { id: 3, seen: null },
  ]
  expect(asked(0)).toEqual(['/v1/rooms/unread', { rooms }])
  expect(shown()).toBe('1:4 2:8 3:0')
  await pass(20_000)
  expect(fetched).toHaveBeenCalledTimes(2)
})

it('shows nothing for the open room, nor for what was read since it was counted', async () => {
  await show(1)
  expect(shown()).toBe('1:0 2:8 3:0')
  act(() => see('2', '18-0'))
  expect(shown()).toBe('1:0 2:0 3:0')
  await pass(20_000)
  expect([asked(1)[1].rooms[1], shown()]).toEqual([{ id: 2, seen: '18-0' }, '1:0 2:8 3:0'])
})

it('asks nothing while nobody looks', async () => {
  await show(null)
  hidden = true
  document.dispatchEvent(new Event('visibilitychange'))
  await pass(100_000)
  expect(fetched).toHaveBeenCalledTimes(1)
})
