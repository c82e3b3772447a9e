import { Button, PasswordInput, TextInput } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useLocation } from 'wouter'
import { deleteAccount } from '../api/account'
import { session, useSession } from '../api/session'
import { Dialog } from '../parts/Dialog'
import { Wrong } from '../parts/Wrong'

export function Deletion() {
  const { t } = useTranslation('own')
  const [isAsked, setAsked] = useState(false)
  return (
    <section className="card inner">
      <div>
        <h2>{t('account.delete')}</h2>
        <p className="faint small">{t('account.deleteHint')}</p>
      </div>
      <div className="buttons">
        <Button variant="default" className="danger" onClick={() => setAsked(true)}>
          {t('account.delete')}…
        </Button>
      </div>
      {isAsked && <Confirmation onClose={() => setAsked(false)} />}
    </section>
  )
}

function Confirmation({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation('own')
  const [, go] = useLocation()
  const name = useSession()?.name ?? ''
  const [typed, setTyped] = useState('')
  const [password, setPassword] = useState('')
  const remove = useMutation({
    mutationFn: () => deleteAccount(password),
    onSuccess: () => {
      session.set(null)
      go('/')
    },
  })
  return (
    <Dialog title={t('account.deleteReally')} onClose={onClose}>
      <form
        className="form"
        onSubmit={(event) => {
          event.preventDefault()
          remove.mutate()
        }}
      >
        <div>
          <p>{t('account.goesWith')}</p>
          <ul className="plainList">
            <li>{t('account.goesFiles')}</li>
            <li>{t('account.goesRooms')}</li>
            <li>{t('account.goesAccess')}</li>
          </ul>
        </div>
        <TextInput
          label={t('account.typeName', { name })}
          value={typed}
          autoComplete="off"
          autoCapitalize="none"
          spellCheck={false}
          onChange={(event) => setTyped(event.target.value)}
        />
        <PasswordInput
          label={t('account.yourPassword')}
          value={password}
          autoComplete="current-password"
          onChange={(event) => setPassword(event.target.value)}
        />
        <Wrong error={remove.error} />
        <div className="buttons">
          <Button type="submit" className="dangerFilled" loading={remove.isPending} disabled={typed !== name || password === ''}>
            {t('account.deleteNow')}
          </Button>
          <Button variant="default" onClick={onClose}>
            {t('account.keep')}
          </Button>
        </div>
      </form>
    </Dialog>
  )
}
