import { useEffect, useRef, useState } from 'react'
import { gatherDrop, type Gathered, gatherList, isTyping } from './gathering'

type Takers = {
  onFiles: (gathered: Gathered[]) => void
  onText?: (text: string) => void
  /** A folder or file of a drop cannot be read. */
  onUnreadable: () => void
}

/** Take what is dropped or pasted anywhere on the page. Returns whether something is held above it. */
export function usePageDrop({ onFiles, onText, onUnreadable }: Takers): boolean {
  const [isOver, setOver] = useState(false)
  const unreadable = useRef(onUnreadable)
  unreadable.current = onUnreadable
  useEffect(() => {
    let depth = 0
    const stop = new AbortController()
    const on = <K extends keyof WindowEventMap>(name: K, listener: (event: WindowEventMap[K]) => void) =>
      window.addEventListener(name, listener, { signal: stop.signal })
    const hold = (by: number) => {
      depth = Math.max(0, depth + by)
      setOver(depth > 0)
    }
    on('dragenter', (event) => hasFiles(event) && hold(1))
    on('dragleave', (event) => hasFiles(event) && hold(-1))
    on('dragover', (event) => hasFiles(event) && event.preventDefault())
    on('drop', (event) => {
      if (!event.dataTransfer || !hasFiles(event)) return
      event.preventDefault()
      hold(-depth)
      void gatherDrop(event.dataTransfer).then(onFiles, () => unreadable.current())
    })
    on('paste', (event) => {
      const files = event.clipboardData?.files
      const text = event.clipboardData?.getData('text/plain')
      if (files && files.length > 0) onFiles(gatherList(files))
      else if (text && onText && !isTyping(event.target)) onText(text)
      else return
      event.preventDefault()
    })
    return () => stop.abort()
  }, [onFiles, onText])
  return isOver
}

function hasFiles(event: DragEvent): boolean {
  return event.dataTransfer?.types.includes('Files') ?? false
}
