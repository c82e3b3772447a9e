import { Button, PasswordInput, TextInput } from '@mantine/core'
import { useQueryClient } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useLocation } from 'wouter'
import { joinByName } from '../api/rooms'
import { useExplain } from '../i18n'

export function JoinByName({ onDone }: { onDone: () => void }) {
  const { t } = useTranslation()
  const explain = useExplain()
  const queries = useQueryClient()
  const [, go] = useLocation()
  const [name, setName] = useState('')
  const [password, setPassword] = useState('')
  const [wrong, setWrong] = useState<string | null>(null)
  const [isBusy, setBusy] = useState(false)

  async function join(event: FormEvent) {
    event.preventDefault()
    // Enter sends a form whose button is busy.
    if (isBusy) return
    setBusy(true)
    setWrong(null)
    try {
      const { id } = await joinByName(name.trim(), password)
      await queries.invalidateQueries({ queryKey: ['rooms'] })
      onDone()
      go(`/rooms/${id}`)
    } catch (error) {
      setWrong(explain(error))
    } finally {
      setBusy(false)
    }
  }

  return (
    <form className="form newRoomForm" onSubmit={(event) => void join(event)}>
      <TextInput autoFocus label={t('rooms.name')} value={name} onChange={(event) => setName(event.target.value)} />
      <PasswordInput
        label={t('rooms.password')}
        autoComplete="off"
        value={password}
        error={wrong}
        onChange={(event) => setPassword(event.target.value)}
      />
      <div className="buttons">
        <Button type="submit" loading={isBusy} disabled={name.trim() === ''}>
          {t('rooms.join')}
        </Button>
        <Button variant="default" onClick={onDone}>
          {t('send.cancel')}
        </Button>
      </div>
    </form>
  )
}
