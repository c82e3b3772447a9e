import '@mantine/core/styles/Checkbox.css'
import { Checkbox, Switch, Textarea, TextInput } from '@mantine/core'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { sizeIn, sizeText } from '../parts/sizes'
import { type Field, UNLIMITED } from './policyFields'

const SECONDS = { days: 86_400, minutes: 60 } as const
const STYLES = ['minute', 'hour', 'day', 'count', 'forever'] as const
/** What is typed and is no value yet. */
export const INVALID = Symbol('invalid')

type Props = { field: Field; value: unknown; onChange: (value: unknown) => void }

/** One rule. A value that is no such value is `INVALID`, and cannot be saved. */
export function PolicyField({ field, value, onChange }: Props) {
  const { t } = useTranslation('admin')
  const [typed, setTyped] = useState(() => asText(field, value))
  const { label, hint } = useFieldWords(field.name)
  const parsed = fromText(field, typed)
  const change = (text: string) => {
    setTyped(text)
    onChange(fromText(field, text))
  }
  const shared = { label, description: hint, error: parsed === INVALID && t(field.kind === 'size' ? 'notASize' : 'policy.notANumber') }
  switch (field.kind) {
    case 'switch':
      return (
        <Switch className="wholeRow" label={label} description={hint} checked={value === true} onChange={(event) => onChange(event.target.checked)} />
      )
    case 'styles': {
      const chosen = Array.isArray(value) ? (value as string[]) : []
      return (
        <fieldset className="styles wholeRow">
          <legend>{label}</legend>
          <div className="buttons">
            {STYLES.map((style) => (
              <Checkbox
                key={style}
                label={t(`policy.styles.${style}`)}
                checked={chosen.includes(style)}
                onChange={(event) => onChange(STYLES.filter((each) => (each === style ? event.target.checked : chosen.includes(each))))}
              />
            ))}
          </div>
        </fieldset>
      )
    }
    case 'text':
    case 'lines':
      return <Textarea {...shared} rows={field.kind === 'lines' ? 3 : 2} value={typed} onChange={(event) => change(event.target.value)} />
    case 'colour':
      return (
        <div className="colourField">
          <TextInput {...shared} value={typed} maxLength={7} spellCheck={false} onChange={(event) => change(event.target.value)} />
          <input type="color" aria-label={label} value={/^#[0-9a-f]{6}$/i.test(typed) ? typed : '#000000'} onChange={(event) => change(event.target.value)} />
        </div>
      )
    default:
      return (
        <TextInput
          {...shared}
          inputMode={field.kind === 'count' ? 'numeric' : undefined}
          placeholder={field.empty === undefined ? undefined : t(field.empty === UNLIMITED ? 'quota.unlimited' : 'policy.environment')}
          value={typed}
          onChange={(event) => change(event.target.value)}
        />
      )
  }
}

export function useFieldWords(name: string): { label: string; hint: string | undefined } {
  const { t, i18n } = useTranslation('admin')
  const exists = (key: string) => i18n.exists(key, { ns: 'admin' })
  const label = exists(`policy.fields.${name}`) ? t(`policy.fields.${name}` as 'policy.fields.name') : name
  const hint = exists(`policy.hints.${name}`) ? t(`policy.hints.${name}` as 'policy.hints.notices') : undefined
  return { label, hint }
}

/** The words of a value, for a comparison. `unlimited`: those of no limit. */
export function shownValue(value: unknown, unlimited: string): string {
  if (value === UNLIMITED) return unlimited
  if (value === null || value === undefined) return '—'
  if (Array.isArray(value)) return value.join(', ') || '—'
  if (typeof value === 'boolean') return value ? '✓' : '✗'
  return String(value as string | number) || '—'
}

function asText({ kind }: Field, value: unknown): string {
  if (value === null || value === undefined || value === UNLIMITED) return ''
  if (kind === 'size') return sizeText(value as number)
  if (kind === 'days' || kind === 'minutes') return value === 0 ? '' : String((value as number) / SECONDS[kind])
  if (Array.isArray(value)) return value.join('\n')
  return String(value as string | number)
}

function fromText({ kind, empty }: Field, text: string): unknown {
  if (text.trim() === '' && empty !== undefined) return empty
  switch (kind) {
    case 'lines':
      return text.split('\n').flatMap((line) => line.trim() || [])
    case 'size':
      return sizeIn(text) ?? INVALID
    case 'days':
    case 'minutes': {
      const seconds = Math.round(Number(text.replace(',', '.')) * SECONDS[kind])
      return Number.isSafeInteger(seconds) && seconds >= 0 ? seconds : INVALID
    }
    case 'count':
    case 'share': {
      if (text.trim() === '') return INVALID
      const number = Number(text)
      return Number.isFinite(number) && (kind === 'share' || Number.isInteger(number)) ? number : INVALID
    }
    case 'colour':
      return /^#[0-9a-f]{6}$/i.test(text) ? text.toLowerCase() : INVALID
    default:
      return text
  }
}
