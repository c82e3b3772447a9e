import { NativeSelect, PasswordInput, Switch } from '@mantine/core'
import { useId, useState } from 'react'
import { Trans, useTranslation } from 'react-i18next'
import type { Site } from '../api/site'
import { type Life, lives, nameOf, type Options } from './options'

const DOWNLOADS = [1, 2, 5, 10, 50]

/** One line that says what will happen, and behind it the form to change that. */
export function OptionsLine({ site, options, onChange }: { site: Site; options: Options; onChange: (options: Options) => void }) {
  const { t } = useTranslation()
  const [isOpen, setOpen] = useState(false)
  const form = useId()
  return (
    <div className="options">
      <div className="line">
        <Summary options={options} />
        <button type="button" className="link" aria-expanded={isOpen} aria-controls={form} onClick={() => setOpen(!isOpen)}>
          {isOpen ? t('options.done') : t('options.change')}
        </button>
      </div>
      <div id={form} hidden={!isOpen}>
        {isOpen && <OptionsForm site={site} options={options} onChange={onChange} />}
      </div>
    </div>
  )
}

function Summary({ options: { life, downloads, password } }: { options: Options }) {
  const { t } = useTranslation()
  const lasting = useLife()(life)
  return (
    <p className="faint">
      {life.style === 'forever' ? (
        <Trans t={t} i18nKey="options.forever" components={{ 1: <b /> }} />
      ) : life.style === 'count' ? (
        <Trans t={t} i18nKey="options.once" components={{ 1: <b /> }} />
      ) : (
        <Trans t={t} i18nKey="options.kept" values={{ life: lasting }} components={{ 1: <b /> }} />
      )}
      {' · '}
      {downloads === null ? t('options.any') : t('options.times', { count: downloads })}
      {password && ` · ${t('options.password')}`}
    </p>
  )
}

function OptionsForm({ site, options, onChange }: { site: Site; options: Options; onChange: (options: Options) => void }) {
  const { t } = useTranslation()
  const named = useLife()
  const offered = lives(site)
  const change = (changes: Partial<Options>) => onChange({ ...options, ...changes })
  return (
    <div className="optionsForm">
      <NativeSelect
        label={t('options.life')}
        value={nameOf(options.life)}
        data={offered.map((life) => ({ value: nameOf(life), label: named(life) }))}
        onChange={(event) => change({ life: offered.find((life) => nameOf(life) === event.target.value) ?? options.life })}
      />
      <NativeSelect
        label={t('options.downloads')}
        value={options.downloads ?? ''}
        data={[{ value: '', label: t('options.unlimited') }, ...DOWNLOADS.map((count) => ({ value: String(count), label: String(count) }))]}
        onChange={(event) => change({ downloads: Number(event.target.value) || null })}
      />
      <PasswordInput
        label={t('options.passwordLabel')}
        placeholder={t('options.passwordHint')}
        autoComplete="new-password"
        value={options.password}
        onChange={(event) => change({ password: event.target.value })}
      />
      <Switch label={t('options.words')} checked={options.words} onChange={(event) => change({ words: event.target.checked })} />
    </div>
  )
}

function useLife(): (life: Life) => string {
  const { t } = useTranslation()
  return ({ style, value }) => {
    if (style === 'forever') return t('options.noEnd')
    if (style === 'count') return t('options.times', { count: value })
    return t(`options.${style}`, { count: value })
  }
}
