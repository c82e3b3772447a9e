import { type ReactNode, useRef } from 'react'
import { type Gathered, gatherList } from './gathering'

type Props = {
  onFiles: (gathered: Gathered[]) => void
  folder?: boolean
  label: string
  children: (open: () => void) => ReactNode
}

/** A button, made by `children`, that opens the system's chooser. */
export function ChooseFiles({ onFiles, folder = false, label, children }: Props) {
  const input = useRef<HTMLInputElement>(null)
  return (
    <>
      <input
        ref={input}
        type="file"
        multiple
        hidden
        webkitdirectory={folder ? '' : undefined}
        aria-label={label}
        onChange={(event) => {
          onFiles(gatherList(event.target.files ?? []))
          // Otherwise choosing the same files again is no change.
          event.target.value = ''
        }}
      />
      {children(() => input.current?.click())}
    </>
  )
}
