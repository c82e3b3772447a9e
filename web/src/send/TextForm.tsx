import { Button } from '@mantine/core'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'

type Props = { text: string; isAsking: boolean; onSend: (text: string) => void; onCancel: () => void }

export function TextForm({ text, isAsking, onSend, onCancel }: Props) {
  const { t } = useTranslation()
  const [written, setWritten] = useState(text)
  return (
    <form
      className="textForm"
      onSubmit={(event) => {
        event.preventDefault()
        onSend(written)
      }}
      onKeyDown={(event) => {
        if (event.key === 'Escape') onCancel()
        if (event.key === 'Enter' && (event.ctrlKey || event.metaKey) && written.trim()) onSend(written)
      }}
    >
      <textarea
        autoFocus
        rows={9}
        value={written}
        aria-label={t('send.text')}
        placeholder={t('send.textHint')}
        onChange={(event) => setWritten(event.target.value)}
      />
      <div className="buttons">
        <Button type="submit" loading={isAsking} disabled={written.trim() === ''}>
          {t('send.sendText')}
        </Button>
        <Button variant="default" onClick={onCancel}>
          {t('send.cancel')}
        </Button>
      </div>
    </form>
  )
}
