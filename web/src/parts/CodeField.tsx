import { ActionIcon } from '@mantine/core'
import { type FormEvent, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useLocation } from 'wouter'
import './codeField.css'
import { codeIn } from './codes'
import { Arrow } from './icons'

/** "Have a code?": typed, or pasted as a whole link. */
export function CodeField({ autoFocus = false }: { autoFocus?: boolean }) {
  const { t } = useTranslation()
  const [, go] = useLocation()
  const [typed, setTyped] = useState('')
  const [isWrong, setWrong] = useState(false)

  function open(event: FormEvent) {
    event.preventDefault()
    const code = codeIn(typed)
    setWrong(code === null)
    if (code) go(`/c/${code}`)
  }

  return (
    <>
      <form className="codeField card" onSubmit={open} role="search">
        <label htmlFor="code">{t('code.have')}</label>
        <input
          id="code"
          className="code"
          value={typed}
          onChange={(event) => {
            setTyped(event.target.value)
            setWrong(false)
          }}
          placeholder="7K2QF"
          autoFocus={autoFocus}
          autoComplete="off"
          autoCapitalize="characters"
          autoCorrect="off"
          spellCheck={false}
          enterKeyHint="go"
          aria-invalid={isWrong}
          aria-describedby={isWrong ? 'code-wrong' : undefined}
        />
        <ActionIcon type="submit" variant="light" size={44} radius={12} aria-label={t('code.open')}>
          <Arrow />
        </ActionIcon>
      </form>
      {isWrong && (
        <p id="code-wrong" role="alert" className="notice bad small codeWrong">
          {t('code.invalid')}
        </p>
      )}
    </>
  )
}
