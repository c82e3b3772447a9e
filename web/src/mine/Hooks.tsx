import { Button, TextInput } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { addHook, deleteHook, enableHook, type Hook, HOOK_EVENTS, type HookEvent, type HookKind, listHooks, tryHook } from '../api/hooks'
import { moment } from '../format'
import { Once } from '../parts/Once'
import { Sure } from '../parts/Sure'
import { Wrong } from '../parts/Wrong'

const LOOK_MILLISECONDS = 2000

/** What tells the account's owner, or a program, that something has happened. */
export function Hooks() {
  return (
    <>
      <Kind kind="notices" />
      <Kind kind="webhooks" />
    </>
  )
}

function Kind({ kind }: { kind: HookKind }) {
  const { t } = useTranslation('own')
  const queries = useQueryClient()
  const key = ['hooks', kind]
  const found = useQuery({
    queryKey: key,
    queryFn: () => listHooks(kind),
    refetchInterval: ({ state }) => (state.data?.some(({ waiting, enabled }) => waiting > 0 && enabled) ? LOOK_MILLISECONDS : false),
  })
  const act = useMutation({
    mutationFn: (doing: () => Promise<unknown>) => doing(),
    onSettled: () => queries.invalidateQueries({ queryKey: key }),
  })
  const hooks = found.data ?? []
  return (
    <section className="card inner form">
      <div>
        <h2>{t(`hooks.${kind}`)}</h2>
        <p className="faint small">{t(`hooks.${kind}Hint`)}</p>
      </div>
      {hooks.length > 0 && (
        <ul className="rows">
          {hooks.map((hook) => (
            <HookRow
              key={hook.id}
              hook={hook}
              onTry={() => act.mutate(() => tryHook(kind, hook.id))}
              onEnable={() => act.mutate(() => enableHook(kind, hook.id))}
              onDelete={() => act.mutate(() => deleteHook(kind, hook.id))}
            />
          ))}
        </ul>
      )}
      <NewHook kind={kind} onAdded={() => void queries.invalidateQueries({ queryKey: key })} />
      <Wrong error={act.error ?? found.error} />
    </section>
  )
}

type RowProps = { hook: Hook; onTry: () => void; onEnable: () => void; onDelete: () => void }

function HookRow({ hook, onTry, onEnable, onDelete }: RowProps) {
  const { t, i18n } = useTranslation('own')
  const told = 'called_at' in hook ? hook.called_at : hook.sent_at
  const state = [
    !hook.enabled && t('hooks.disabled'),
    hook.waiting > 0 && t('hooks.waiting', { count: hook.waiting }),
    hook.error ?? (told && t('hooks.told', { moment: moment(told, i18n.language) })),
  ]
  const events = hook.events.map((event) => (isKnown(event) ? t(`hooks.events.${wordOf(event)}`) : event))
  return (
    <li>
      <div>
        <p className="itemName">{'url' in hook ? hook.url : hook.service}</p>
        <p className="figures">{events.join(' · ')}</p>
        <p className={`figures anywhere${hook.error || !hook.enabled ? ' hookWrong' : ''}`} role="status">
          {state.filter(Boolean).join(' · ')}
        </p>
      </div>
      <div className="buttons rowActions">
        {hook.enabled ? (
          <button type="button" className="link small" disabled={hook.waiting > 0} onClick={onTry}>
            {t('hooks.try')}
          </button>
        ) : (
          <button type="button" className="link small" onClick={onEnable}>
            {t('hooks.enable')}
          </button>
        )}
        <Sure asks={t('hooks.sure')} onSure={onDelete}>
          {t('delete')}
        </Sure>
      </div>
      {'secret' in hook && (
        <details className="whole small">
          <summary>{t('hooks.secret')}</summary>
          <Once text={hook.secret} label={t('hooks.secret')}>
            {t('account.copySecret')}
          </Once>
        </details>
      )}
    </li>
  )
}

function NewHook({ kind, onAdded }: { kind: HookKind; onAdded: () => void }) {
  const { t } = useTranslation('own')
  const [url, setUrl] = useState('')
  const [events, setEvents] = useState<readonly HookEvent[]>(['share.fetched', 'drop.filled'])
  const add = useMutation({
    mutationFn: () => addHook(kind, url.trim(), [...events]),
    onSuccess: () => setUrl(''),
    onSettled: onAdded,
  })
  return (
    <form
      className="form"
      onSubmit={(event) => {
        event.preventDefault()
        add.mutate()
      }}
    >
      <div className="oneLine">
        <TextInput
          label={t('hooks.address')}
          placeholder={kind === 'notices' ? 'ntfys://my-topic' : 'https://example.org/hook'}
          value={url}
          maxLength={2000}
          autoComplete="off"
          autoCapitalize="none"
          spellCheck={false}
          onChange={(event) => setUrl(event.target.value)}
        />
        <Button type="submit" variant="default" loading={add.isPending} disabled={url.trim() === '' || events.length === 0}>
          {t('hooks.add')}
        </Button>
      </div>
      <fieldset className="hookEvents small">
        <legend>{t('hooks.when')}</legend>
        {HOOK_EVENTS.map((event) => (
          <label key={event}>
            <input
              type="checkbox"
              className="check"
              checked={events.includes(event)}
              onChange={({ target: { checked } }) => setEvents(HOOK_EVENTS.filter((each) => (each === event ? checked : events.includes(each))))}
            />{' '}
            {t(`hooks.events.${wordOf(event)}`)}
          </label>
        ))}
      </fieldset>
      <Wrong error={add.error} />
    </form>
  )
}

type Known = (typeof HOOK_EVENTS)[number]
type Word<Event> = Event extends `${infer Thing}.${infer Done}` ? `${Thing}_${Done}` : never

const isKnown = (event: string): event is Known => HOOK_EVENTS.some((each) => each === event)

/** The key of an event's words: in keys of words, a dot has another meaning. */
const wordOf = (event: Known) => event.replace('.', '_') as Word<Known>
