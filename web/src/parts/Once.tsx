import type { ReactNode } from 'react'
import { Copy } from './Copy'

/** Something to copy into a program: a key, a link, or a line for a terminal. */
export function Once({ text, label, children }: { text: string; label: string; children: ReactNode }) {
  return (
    <div className="once">
      <code tabIndex={0} role="textbox" aria-readonly="true" aria-label={label} translate="no" dir="ltr">
        {text}
      </code>
      <Copy text={text}>{children}</Copy>
    </div>
  )
}
