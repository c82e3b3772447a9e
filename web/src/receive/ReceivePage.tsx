import { Button, PasswordInput } from '@mantine/core'
import { type FormEvent, useState } from 'react'
import { useTranslation } from 'react-i18next'
import './receive.css'
import type { Problem } from '../api/problem'
import { duration } from '../format'
import { useExplain } from '../i18n'
import { CodeField } from '../parts/CodeField'
import { OpenedCard } from './OpenedCard'
import { useOpened } from './useOpened'

export default function ReceivePage({ code }: { code: string }) {
  const { t } = useTranslation()
  const [password, setPassword] = useState<string | null>(null)
  const [attempt, setAttempt] = useState(0)
  const opened = useOpened(code, password, attempt)
  const again = () => setAttempt(attempt + 1)
  return (
    <main className="column">
      {opened.state === 'opening' && (
        <p className="card centered faint" role="status">
          {t('receive.opening')}
        </p>
      )}
      {opened.state === 'password' && (
        <AskPassword
          isWrong={opened.isWrong}
          onOpen={(given) => {
            setPassword(given)
            again()
          }}
        />
      )}
      {opened.state === 'refused' && <Refused problem={opened.problem} onRetry={again} />}
      {opened.state === 'open' && <OpenedCard {...opened} />}
    </main>
  )
}

function AskPassword({ isWrong, onOpen }: { isWrong: boolean; onOpen: (password: string) => void }) {
  const { t } = useTranslation()
  const [typed, setTyped] = useState('')
  function open(event: FormEvent) {
    event.preventDefault()
    onOpen(typed)
  }
  return (
    <form className="card inner form" onSubmit={open}>
      <h1>{t('receive.password')}</h1>
      <PasswordInput
        autoFocus
        label={t('receive.passwordLabel')}
        value={typed}
        autoComplete="off"
        error={isWrong && t('receive.passwordWrong')}
        onChange={(event) => setTyped(event.target.value)}
      />
      <div className="buttons">
        <Button type="submit" disabled={typed === ''}>
          {t('receive.open')}
        </Button>
      </div>
    </form>
  )
}

function Refused({ problem, onRetry }: { problem: Problem; onRetry: () => void }) {
  const { t, i18n } = useTranslation()
  const explain = useExplain()
  const [title, hint] =
    problem.status === 404
      ? [t('receive.unknown'), t('receive.unknownHint')]
      : problem.status === 410
        ? [t('receive.ended'), t('receive.endedHint')]
        : problem.status === 423 || problem.status === 429
          ? [t('receive.tooMany'), t('receive.tooManyHint', { time: duration((problem.retryAfter ?? 60) * 1000, i18n.language) })]
          : [t('receive.failed'), explain(problem)]
  return (
    <>
      <section className="card centered" role="alert">
        <h1>{title}</h1>
        <p className="faint">{hint}</p>
        {problem.isPassing && <Button onClick={onRetry}>{t('receive.retry')}</Button>}
      </section>
      <div className="otherCode">
        <CodeField />
      </div>
    </>
  )
}
