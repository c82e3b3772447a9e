import { act } from 'react'
import { createRoot, type Root } from 'react-dom/client'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { usePending } from './undo'
import { useRemoval } from './useRemoval'

const LATER = 10_000
let root: Root
let place: HTMLElement

beforeEach(() => {
  vi.stubGlobal('IS_REACT_ACT_ENVIRONMENT', true)
  vi.useFakeTimers()
  place = document.body.appendChild(document.createElement('div'))
  root = createRoot(place)
})
afterEach(() => {
  act(() => root.unmount())
  place.remove()
  vi.useRealTimers()
  vi.unstubAllGlobals()
})

function List({ end }: { end: (name: string) => Promise<void> }) {
  const removal = useRemoval<string>()
  const pending = usePending()
  return (
    <>
      {['a', 'b']
        .filter((name) => !removal.isGone(name))
        .map((name) => (
          <button key={name} id={name} type="button" onClick={() => removal.remove([name], `${name} is gone`, () => end(name))} />
        ))}
      {pending && <button id="undo" type="button" onClick={pending.undo} />}
      {removal.wrong instanceof Error && <p>{removal.wrong.message}</p>}
    </>
  )
}

const show = (end: (name: string) => Promise<void>) => act(() => root.render(<List end={end} />))
const press = (id: string) => act(() => document.getElementById(id)!.click())
const wait = () => act(() => vi.advanceTimersByTimeAsync(LATER))
const shown = () => ['a', 'b'].filter((name) => document.getElementById(name))

it('removes what was not taken back in time', async () => {
  const end = vi.fn(() => Promise.resolve())
  show(end)
  press('a')
  expect([shown(), end.mock.calls]).toEqual([['b'], []])
  await wait()
  expect([shown(), end.mock.calls]).toEqual([['b'], [['a']]])
})

it('shows again what was taken back, and removes nothing', async () => {
  const end = vi.fn(() => Promise.resolve())
  show(end)
  press('a')
  press('undo')
  await wait()
  expect([shown(), end.mock.calls]).toEqual([['a', 'b'], []])
})

it('shows again what could not be removed, and says why', async () => {
  show(() => Promise.reject(new Error('no network')))
  press('a')
  press('b')
  await wait()
  expect([shown(), place.textContent]).toEqual([['a', 'b'], 'no network'])
})
