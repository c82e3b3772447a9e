import { Button, NativeSelect, Switch, Textarea, TextInput } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { addMirror } from '../api/admin'
import { Dialog } from '../parts/Dialog'
import { Wrong } from '../parts/Wrong'
import { KINDS, optionsIn } from './mirrorKinds'

export function NewMirror({ onClose, onAdded }: { onClose: () => void; onAdded: () => void }) {
  const { t } = useTranslation('admin')
  const [name, setName] = useState('')
  const [kind, setKind] = useState('s3')
  const [lines, setLines] = useState(KINDS['s3']!)
  const [pattern, setPattern] = useState('')
  const [isDefault, setDefault] = useState(false)
  const add = useMutation({
    mutationFn: () => addMirror({ name: name.trim(), kind, options: optionsIn(lines), link_pattern: pattern.trim(), is_default: isDefault }),
    onSuccess: () => {
      onAdded()
      onClose()
    },
  })
  return (
    <Dialog title={t('mirrors.add')} onClose={onClose}>
      <form
        className="form"
        onSubmit={(event) => {
          event.preventDefault()
          add.mutate()
        }}
      >
        <TextInput label={t('list.name')} value={name} onChange={(event) => setName(event.target.value)} />
        <NativeSelect
          label={t('mirrors.kind')}
          value={kind}
          data={Object.keys(KINDS)}
          onChange={(event) => {
            // What was typed stays, unless it is only the names of the other kind's options.
            if (lines === KINDS[kind]) setLines(KINDS[event.target.value] ?? '')
            setKind(event.target.value)
          }}
        />
        <Textarea
          label={t('mirrors.options')}
          description={t('mirrors.optionsHint')}
          rows={6}
          value={lines}
          autoComplete="off"
          spellCheck={false}
          classNames={{ input: 'typed' }}
          onChange={(event) => setLines(event.target.value)}
        />
        <TextInput label={t('mirrors.pattern')} description={t('mirrors.patternHint')} placeholder="https://cdn.example.org/{path}" value={pattern} onChange={(event) => setPattern(event.target.value)} />
        <Switch label={t('mirrors.default')} checked={isDefault} onChange={(event) => setDefault(event.target.checked)} />
        <Wrong error={add.error} />
        <div className="buttons">
          <Button type="submit" loading={add.isPending} disabled={name.trim() === ''}>
            {t('mirrors.addNow')}
          </Button>
          <Button variant="default" onClick={onClose}>
            {t('cancel')}
          </Button>
        </div>
      </form>
    </Dialog>
  )
}
