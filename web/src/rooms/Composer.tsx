import { Button } from '@mantine/core'
import { type FormEvent, type KeyboardEvent, useEffect, useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { Message } from '../api/rooms'
import { Cross } from '../parts/icons'
import { ChooseFiles } from '../send/ChooseFiles'
import type { Gathered } from '../send/gathering'

/** What is being written: a new message, an answer to one, or one's own message once more. */
export type Draft = { kind: 'new' } | { kind: 'reply'; to: Message } | { kind: 'edit'; message: Message }

type Props = {
  draft: Draft
  /** Rejects if it was not taken; then the text stays. */
  onSay: (text: string) => Promise<void>
  onTyping?: () => void
  onFiles?: (gathered: Gathered[]) => void
  onCancel: () => void
}

const LINES = 6

export function Composer({ draft, onSay, onTyping, onFiles, onCancel }: Props) {
  const { t } = useTranslation()
  const [text, setText] = useState('')
  const field = useRef<HTMLTextAreaElement>(null)
  /** What was being written when a message was taken up to be changed. */
  const unsaid = useRef<string | null>(null)
  useEffect(() => {
    if (draft.kind === 'edit') {
      unsaid.current ??= text
      setText(draft.message.text)
    } else if (unsaid.current !== null) {
      setText(unsaid.current)
      unsaid.current = null
    }
    if (draft.kind !== 'new') field.current?.focus()
  }, [draft])

  async function say(event?: FormEvent) {
    event?.preventDefault()
    const said = text.trim()
    if (!said) return
    setText('')
    // What was written is not lost.
    await onSay(said).catch(() => setText((typed) => typed || said))
  }

  function onKey(event: KeyboardEvent) {
    // Whoever writes by an input method ends a word with Enter, not the message.
    if (event.key === 'Enter' && !event.shiftKey && !event.nativeEvent.isComposing) {
      event.preventDefault()
      void say()
    } else if (event.key === 'Escape' && draft.kind !== 'new') onCancel()
  }

  return (
    <form className="post" onSubmit={(event) => void say(event)}>
      {draft.kind !== 'new' && (
        <p className="drafting small">
          <span>
            {draft.kind === 'edit' ? t('rooms.editing') : t('rooms.replying', { name: draft.to.name })}
            {draft.kind === 'reply' && <span className="faint"> {draft.to.file?.name ?? draft.to.text}</span>}
          </span>
          <button type="button" className="removeItem" aria-label={t('send.cancel')} onClick={onCancel}>
            <Cross />
          </button>
        </p>
      )}
      <div className="postLine">
        {onFiles && (
          <ChooseFiles onFiles={onFiles} label={t('rooms.attach')}>
            {(open) => (
              <button type="button" className="attach" aria-label={t('rooms.attach')} title={t('rooms.attach')} onClick={open}>
                +
              </button>
            )}
          </ChooseFiles>
        )}
        <textarea
          ref={field}
          value={text}
          rows={Math.min(LINES, text.split('\n').length)}
          aria-label={t('rooms.message')}
          placeholder={onFiles && !matchMedia('(pointer: coarse)').matches ? t('rooms.messageHint') : t('rooms.message')}
          dir="auto"
          autoComplete="off"
          enterKeyHint="send"
          onKeyDown={onKey}
          onChange={(event) => {
            setText(event.target.value)
            if (event.target.value) onTyping?.()
          }}
        />
        <Button type="submit" size="lg" disabled={text.trim() === ''}>
          {draft.kind === 'edit' ? t('rooms.save') : t('rooms.send')}
        </Button>
      </div>
    </form>
  )
}
