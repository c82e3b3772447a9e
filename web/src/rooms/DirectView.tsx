import { TextInput } from '@mantine/core'
import { useQueryClient } from '@tanstack/react-query'
import { useEffect, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Link, useLocation } from 'wouter'
import { useHistoryState } from 'wouter/use-browser-location'
import { deleteLetter, type Letter, sendLetter } from '../api/direct'
import { Attempts } from '../api/keys'
import { useSession } from '../api/session'
import { ago } from '../format'
import { serverNow } from '../api/clock'
import { useExplain } from '../i18n'
import { Cross } from '../parts/icons'
import { Name, type Named } from '../parts/Name'
import { useRemoval } from '../parts/useRemoval'
import { useNow } from '../parts/useNow'
import { Composer } from './Composer'
import { see } from './seen'
import { useLetters } from './useUnread'

const NONE: Letter[] = []

/** Direct messages: everybody with whom there are some, or those with one account. */
export function DirectView({ account }: { account: string | null }) {
  const { t } = useTranslation()
  const own = useSession()?.id
  const letters = useLetters().data?.messages ?? NONE
  const newest = letters[0]?.id
  useEffect(() => {
    if (newest) see('direct', String(newest))
  }, [newest])
  const other = (letter: Letter) => (letter.sender.id === own ? letter.recipient : letter.sender)
  const found = account === null ? NONE : letters.filter((letter) => other(letter).id === account).reverse()
  // Of somebody to whom nothing was written yet, only the link that led here knows the name.
  const linked = useHistoryState<Named | null>()
  const named = found[0] ? other(found[0]) : linked
  return (
    <section className="talk">
      <header className="talkHead">
        <Link href={account === null ? '/rooms' : '/rooms/direct'} className={`link small toRooms${account === null ? '' : ' always'}`}>
          ← {account === null ? t('rooms.back') : t('direct.title')}
        </Link>
        <h2>{account !== null && named ? <Name of={named} /> : t('direct.title')}</h2>
        <span className="figures">{t('direct.hint')}</span>
      </header>
      {account === null ? <Correspondents letters={letters} other={other} /> : <Letters letters={found} account={account} name={named?.name ?? null} />}
    </section>
  )
}

function Correspondents({ letters, other }: { letters: Letter[]; other: (letter: Letter) => Letter['sender'] }) {
  const { t, i18n } = useTranslation()
  const now = serverNow(useNow(5000))
  const last = new Map<string, Letter>()
  for (const letter of letters) if (!last.has(other(letter).id)) last.set(other(letter).id, letter)
  return (
    <>
      {last.size === 0 ? (
        <div className="messages centered">
          <p>{t('direct.none')}</p>
          <p className="faint small">{t('direct.noneHint')}</p>
        </div>
      ) : (
        <ul className="messages correspondents">
          {[...last].map(([id, letter]) => (
            <li key={id}>
              <Link href={`/rooms/direct/${id}`}>
                <span className="line">
                  <b>
                    <Name of={other(letter)} />
                  </b>
                  <span className="figures">{ago(now - Date.parse(letter.created_at), i18n.language)}</span>
                </span>
                <span className="excerpt faint" dir="auto">
                  {letter.message}
                </span>
              </Link>
            </li>
          ))}
        </ul>
      )}
      <NewLetter recipient={null} />
    </>
  )
}

function Letters({ letters, account, name }: { letters: Letter[]; account: string; name: string | null }) {
  const { t, i18n } = useTranslation()
  const own = useSession()?.id
  const now = serverNow(useNow(5000))
  const removal = useRemoval<number>()
  const queries = useQueryClient()
  function remove(id: number) {
    removal.remove([id], t('rooms.deleted'), () => deleteLetter(id).then(() => queries.invalidateQueries({ queryKey: ['letters'] })))
  }
  return (
    <>
      <div className="messages" role="log" aria-label={t('rooms.log')} tabIndex={0}>
        <ol className="bubbles">
          {letters
            .filter(({ id }) => !removal.isGone(id))
            .map(({ id, sender, message, created_at }) => (
              <li key={id} className={`bubble${sender.id === own ? ' own' : ''}`}>
                <p className="figures small">
                  {sender.id === own ? t('rooms.you') : <Name of={sender} />} · {ago(now - Date.parse(created_at), i18n.language)}
                </p>
                <div className="saidLine">
                  <div className="said">
                    <p dir="auto">{message}</p>
                  </div>
                  <span className="acts">
                    <button type="button" aria-label={t('direct.delete')} title={t('direct.delete')} onClick={() => remove(id)}>
                      <Cross />
                    </button>
                  </span>
                </div>
              </li>
            ))}
        </ol>
      </div>
      <NewLetter recipient={name} key={account} />
    </>
  )
}

/** `recipient`: the name of the account; null: still to be said. */
function NewLetter({ recipient }: { recipient: string | null }) {
  const { t } = useTranslation()
  const explain = useExplain()
  const queries = useQueryClient()
  const [, go] = useLocation()
  const [name, setName] = useState('')
  const [wrong, setWrong] = useState<string | null>(null)
  const [attempts] = useState(() => new Attempts())

  async function say(text: string) {
    setWrong(null)
    try {
      const to = recipient ?? name.trim()
      const letter = await sendLetter(to, text, attempts.keyOf([to, text]))
      attempts.succeeded()
      await queries.invalidateQueries({ queryKey: ['letters'] })
      if (recipient === null) go(`/rooms/direct/${letter.recipient.id}`)
    } catch (error) {
      setWrong(explain(error))
      throw error
    }
  }

  return (
    <>
      {wrong && (
        <p role="alert" className="notice bad small">
          {wrong}
        </p>
      )}
      {recipient === null && (
        <TextInput className="recipient" label={t('direct.to')} value={name} autoComplete="off" onChange={(event) => setName(event.target.value)} />
      )}
      <Composer draft={{ kind: 'new' }} onSay={say} onCancel={() => undefined} />
    </>
  )
}
