import { Button, PasswordInput, Switch, Textarea, TextInput } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { editShare, type OwnedShare } from '../api/owned'
import type { ShareChanges } from '../api/types'
import { Dialog } from '../parts/Dialog'
import { Wrong } from '../parts/Wrong'
import { asField, asMoment } from './moments'

type Props = { share: OwnedShare; onClose: () => void; onSaved: () => void }

export function EditShare({ share, onClose, onSaved }: Props) {
  const { t } = useTranslation('own')
  const [title, setTitle] = useState(share.title ?? '')
  const [message, setMessage] = useState(share.message ?? '')
  const [until, setUntil] = useState(asField(share.expires_at))
  const [left, setLeft] = useState(String(share.downloads_left ?? ''))
  const [code, setCode] = useState(share.code)
  const [password, setPassword] = useState('')
  const [isOpen, setOpen] = useState(false)
  const save = useMutation({
    mutationFn: (changes: ShareChanges) => editShare(share.id, changes),
    onSuccess: (changed) => {
      onSaved()
      // A new code is shown where the old one was.
      setCode(changed.code)
    },
  })

  function changes(): ShareChanges {
    return {
      ...(title.trim() !== (share.title ?? '') && { title: title.trim() || null }),
      ...(message.trim() !== (share.message ?? '') && { message: message.trim() || null }),
      ...(until !== asField(share.expires_at) && { expires_at: asMoment(until) }),
      ...(left !== String(share.downloads_left ?? '') && { downloads_left: left === '' ? null : Number(left) }),
      ...(code !== share.code && code !== save.data?.code && { code }),
      ...(isOpen ? { password: null } : password !== '' && { password }),
    }
  }

  return (
    <Dialog title={t('shares.edit')} onClose={onClose}>
      <form
        className="form"
        onSubmit={(event) => {
          event.preventDefault()
          const wanted = changes()
          if (Object.keys(wanted).length === 0) onClose()
          else save.mutate(wanted, { onSuccess: onClose })
        }}
      >
        <TextInput label={t('shares.title')} value={title} maxLength={200} onChange={(event) => setTitle(event.target.value)} />
        <Textarea
          label={t('shares.message')}
          value={message}
          rows={2}
          maxLength={10_000}
          onChange={(event) => setMessage(event.target.value)}
        />
        <div className="twoFields">
          <TextInput
            type="datetime-local"
            label={t('shares.until')}
            description={t('shares.untilHint')}
            value={until}
            onChange={(event) => setUntil(event.target.value)}
          />
          <TextInput
            type="number"
            min={1}
            max={2 ** 31 - 1}
            label={t('shares.left')}
            description={t('shares.leftHint')}
            value={left}
            onChange={(event) => setLeft(event.target.value)}
          />
        </div>
        {share.form === 'code' && (
          <div className="oneLine">
            <TextInput
              label={t('shares.code')}
              classNames={{ input: 'code' }}
              value={code}
              maxLength={64}
              autoComplete="off"
              spellCheck={false}
              onChange={(event) => setCode(event.target.value)}
            />
            <Button variant="default" loading={save.isPending} onClick={() => save.mutate({ code: null })}>
              {t('shares.newCode')}
            </Button>
          </div>
        )}
        {share.has_password && <Switch label={t('shares.removePassword')} checked={isOpen} onChange={(event) => setOpen(event.target.checked)} />}
        {!isOpen && (
          <PasswordInput
            label={share.has_password ? t('shares.otherPassword') : t('shares.password')}
            value={password}
            autoComplete="new-password"
            onChange={(event) => setPassword(event.target.value)}
          />
        )}
        <Wrong error={save.error} />
        <div className="buttons">
          <Button type="submit" loading={save.isPending}>
            {t('shares.save')}
          </Button>
          <Button variant="default" onClick={onClose}>
            {t('shares.cancel')}
          </Button>
        </div>
      </form>
    </Dialog>
  )
}
