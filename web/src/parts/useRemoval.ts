import { useState } from 'react'
import { soon } from './undo'

/** Rows that are hidden at once, and really removed a few seconds later, unless that is undone. One that fails is shown again. */
export function useRemoval<Id>() {
  const [gone, setGone] = useState<readonly Id[]>([])
  const [wrong, setWrong] = useState<unknown>(null)
  const putBack = (ids: readonly Id[]) => setGone((before) => before.filter((id) => !ids.includes(id)))

  /** `onHide` is told when the rows are hidden and when they are put back. */
  function remove(ids: readonly Id[], words: string, act: () => Promise<unknown>, onHide?: (isHidden: boolean) => void) {
    const show = () => {
      putBack(ids)
      onHide?.(false)
    }
    setWrong(null)
    setGone((before) => [...before, ...ids])
    onHide?.(true)
    const due = () =>
      void act().catch((error: unknown) => {
        setWrong(error)
        show()
      })
    soon(words, due, show)
  }

  return { isGone: (id: Id) => gone.includes(id), remove, putBack, wrong }
}
