import { Button, Textarea, TextInput } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { changeDrop, createDrop, type Drop, type DropTerms } from '../api/drops'
import { Dialog } from '../parts/Dialog'
import { sizeIn, sizeText } from '../parts/sizes'
import { Wrong } from '../parts/Wrong'
import { asField, asMoment } from './moments'

type Props = { drop: Drop | null; onClose: () => void; onSaved: () => void }

/** A new drop-off, or the terms of one that there is. Empty fields are no limits. */
export function DropForm({ drop, onClose, onSaved }: Props) {
  const { t } = useTranslation('own')
  const [title, setTitle] = useState(drop?.title ?? '')
  const [greeting, setGreeting] = useState(drop?.greeting ?? '')
  const [code, setCode] = useState('')
  const [size, setSize] = useState(sizeText(drop?.size_limit ?? null))
  const [items, setItems] = useState(String(drop?.item_limit ?? ''))
  const [shares, setShares] = useState(String(drop?.share_limit ?? ''))
  const [types, setTypes] = useState((drop?.types ?? []).join(', '))
  const [until, setUntil] = useState(asField(drop?.expires_at ?? null))
  const isSize = size.trim() === '' || sizeIn(size) !== null
  const save = useMutation({
    mutationFn: (terms: DropTerms) => (drop ? changeDrop(drop.code, terms) : createDrop(terms, code.trim() || null)),
    onSuccess: () => {
      onSaved()
      onClose()
    },
  })

  function terms(): DropTerms {
    return {
      title: title.trim(),
      greeting: greeting.trim() || null,
      size_limit: sizeIn(size),
      item_limit: Number(items) || null,
      share_limit: Number(shares) || null,
      types: types.split(/[\s,;]+/).filter((type) => type !== ''),
      // A field has no seconds, so an end that was not touched must not move.
      expires_at: drop && until === asField(drop.expires_at) ? drop.expires_at : asMoment(until),
    }
  }

  return (
    <Dialog title={drop ? t('drops.edit') : t('drops.make')} onClose={onClose}>
      <form
        className="form"
        onSubmit={(event) => {
          event.preventDefault()
          save.mutate(terms())
        }}
      >
        <TextInput label={t('drops.title')} placeholder={t('drops.titleExample')} value={title} maxLength={200} required withAsterisk={false} onChange={(event) => setTitle(event.target.value)} />
        <Textarea label={t('drops.greeting')} placeholder={t('drops.greetingExample')} rows={2} maxLength={10_000} value={greeting} onChange={(event) => setGreeting(event.target.value)} />
        {!drop && (
          <TextInput label={t('drops.code')} description={t('drops.codeHint')} value={code} maxLength={64} autoComplete="off" spellCheck={false} onChange={(event) => setCode(event.target.value)} />
        )}
        <div className="twoFields">
          <TextInput label={t('drops.size')} placeholder="2 GB" value={size} error={!isSize && t('notASize')} onChange={(event) => setSize(event.target.value)} />
          <TextInput type="number" min={1} max={2 ** 31 - 1} label={t('drops.items')} value={items} onChange={(event) => setItems(event.target.value)} />
          <TextInput type="number" min={1} max={2 ** 31 - 1} label={t('drops.shares')} value={shares} onChange={(event) => setShares(event.target.value)} />
          <TextInput label={t('drops.types')} placeholder="pdf, image/*" value={types} onChange={(event) => setTypes(event.target.value)} />
        </div>
        <TextInput type="datetime-local" label={t('drops.until')} value={until} onChange={(event) => setUntil(event.target.value)} />
        <p className="faint small">{t('drops.limitsHint')}</p>
        <Wrong error={save.error} />
        <div className="buttons">
          <Button type="submit" loading={save.isPending} disabled={title.trim() === '' || !isSize}>
            {drop ? t('save') : t('drops.makeNow')}
          </Button>
          <Button variant="default" onClick={onClose}>
            {t('cancel')}
          </Button>
        </div>
      </form>
    </Dialog>
  )
}
