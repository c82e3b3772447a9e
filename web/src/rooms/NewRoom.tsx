import { Button, NativeSelect, PasswordInput, Switch, TextInput } from '@mantine/core'
import { useQueryClient } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useLocation } from 'wouter'
import { createRoom } from '../api/rooms'
import { duration } from '../format'
import { useExplain } from '../i18n'

/** Half an hour is what a room has whose owner says nothing. */
export const LIVES = [300, 1800, 7200, 86_400, 604_800]

export function NewRoom({ onDone }: { onDone: () => void }) {
  const { t, i18n } = useTranslation()
  const explain = useExplain()
  const queries = useQueryClient()
  const [, go] = useLocation()
  const [name, setName] = useState('')
  const [isPrivate, setPrivate] = useState(false)
  const [password, setPassword] = useState('')
  const [life, setLife] = useState(1800)
  const [wrong, setWrong] = useState<string | null>(null)
  const [isBusy, setBusy] = useState(false)

  async function create(event: FormEvent) {
    event.preventDefault()
    // Enter sends a form whose button is busy.
    if (isBusy) return
    setBusy(true)
    setWrong(null)
    try {
      const { id } = await createRoom({
        name: name.trim(),
        is_private: isPrivate,
        lifetime_seconds: life,
        ...(isPrivate && password && { password }),
      })
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
    <form className="form newRoomForm" onSubmit={(event) => void create(event)}>
      <TextInput autoFocus label={t('rooms.name')} value={name} error={wrong} onChange={(event) => setName(event.target.value)} />
      <NativeSelect
        label={t('rooms.life')}
        value={life}
        data={LIVES.map((seconds) => ({ value: String(seconds), label: duration(seconds * 1000, i18n.language) }))}
        onChange={(event) => setLife(Number(event.target.value))}
      />
      <Switch label={t('rooms.private')} checked={isPrivate} onChange={(event) => setPrivate(event.target.checked)} />
      {isPrivate && (
        <PasswordInput
          label={t('rooms.newPassword')}
          description={t('rooms.newPasswordHint')}
          autoComplete="new-password"
          value={password}
          onChange={(event) => setPassword(event.target.value)}
        />
      )}
      <div className="buttons">
        <Button type="submit" loading={isBusy} disabled={name.trim() === ''}>
          {t('rooms.create')}
        </Button>
        <Button variant="default" onClick={onDone}>
          {t('send.cancel')}
        </Button>
      </div>
    </form>
  )
}
