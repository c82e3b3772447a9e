import { useEffect } from 'react'
import './send.css'
import { CodeField } from '../parts/CodeField'
import { ChooseCard } from './ChooseCard'
import { takeUp, useCurrent } from './current'
import { SendingCard } from './SendingCard'

export function SendPage() {
  const sending = useCurrent()
  useEffect(() => void takeUp(), [])
  return (
    <main className="column">
      {sending ? (
        <SendingCard sending={sending} />
      ) : (
        <>
          <CodeField />
          <ChooseCard />
        </>
      )}
    </main>
  )
}
