import { type ReactNode, useEffect, useId, useRef } from 'react'
import './dialog.css'
import { useTranslation } from 'react-i18next'
import { Cross } from './icons'

type Props = { title: string; children: ReactNode; onClose?: () => void; isOpaque?: boolean }

/** A question above the page. The browser keeps the focus in it, and Escape closes it. Without `onClose` it stays open. */
export function Dialog({ title, children, onClose, isOpaque = false }: Props) {
  const { t } = useTranslation()
  const dialog = useRef<HTMLDialogElement>(null)
  const name = useId()
  useEffect(() => {
    const shown = dialog.current!
    const before = document.activeElement
    if (!shown.open) shown.showModal()
    // The browser would begin with the button that closes it.
    shown.querySelector<HTMLElement>('input:not([tabindex="-1"]), textarea, select')?.focus()
    return () => {
      if (shown.open) shown.close()
      if (before instanceof HTMLElement) before.focus()
    }
  }, [])
  const stays = onClose === undefined
  useEffect(() => {
    if (!stays) return
    // Escape would also close the dialogs below this one, and with them what was typed there.
    const ignore = (event: KeyboardEvent) => {
      if (event.key === 'Escape') event.preventDefault()
    }
    addEventListener('keydown', ignore, true)
    return () => removeEventListener('keydown', ignore, true)
  }, [stays])
  return (
    <dialog
      ref={dialog}
      className={`dialog${isOpaque ? ' opaque' : ''}`}
      aria-labelledby={name}
      onCancel={(event) => {
        event.preventDefault()
        onClose?.()
      }}
      onClose={() => {
        // Browsers close a dialog at the second Escape whatever a page says.
        if (!dialog.current || dialog.current.open) return
        if (onClose) onClose()
        else dialog.current.showModal()
      }}
    >
      <header className="line dialogHead">
        <h2 id={name}>{title}</h2>
        {onClose && (
          <button type="button" className="removeItem" aria-label={t('dialog.close')} onClick={onClose}>
            <Cross />
          </button>
        )}
      </header>
      {children}
    </dialog>
  )
}
