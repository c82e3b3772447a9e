import { Button } from '@mantine/core'
import { useTranslation } from 'react-i18next'
import { Dialog } from '../parts/Dialog'
import { shownValue, useFieldWords } from './PolicyField'

type Values = Record<string, unknown>
type Props = {
  /** The rules that both have changed; empty: the other's changes touch none of mine. */
  names: string[]
  mine: Values
  before: Values
  theirs: Values
  isBusy: boolean
  onMine: () => void
  onTheirs: () => void
  onClose: () => void
}

/** Somebody else has saved first. Both versions are shown, and nothing is saved before one is chosen. */
export function Collision({ names, mine, before, theirs, isBusy, onMine, onTheirs, onClose }: Props) {
  const { t } = useTranslation('admin')
  const shown = names.length > 0 ? names : Object.keys(mine)
  return (
    <Dialog title={t('policy.collision')} onClose={onClose}>
      <div className="form">
        <p>{names.length > 0 ? t('policy.collisionBoth') : t('policy.collisionOther')}</p>
        <div className="compared">
          {shown.map((name) => (
            <Compared key={name} name={name} mine={mine[name]} before={before[name]} theirs={theirs[name]} />
          ))}
        </div>
        <div className="buttons">
          <Button loading={isBusy} onClick={onMine}>
            {t('policy.keepMine')}
          </Button>
          <Button variant="default" onClick={onTheirs}>
            {t('policy.keepTheirs')}
          </Button>
        </div>
      </div>
    </Dialog>
  )
}

function Compared({ name, mine, before, theirs }: { name: string; mine: unknown; before: unknown; theirs: unknown }) {
  const { t } = useTranslation('admin')
  const { label } = useFieldWords(name)
  return (
    <section>
      <h3>{label}</h3>
      <dl>
        <dt>{t('policy.before')}</dt>
        <dd>{shownValue(before, t('quota.unlimited'))}</dd>
        <dt>{t('policy.theirs')}</dt>
        <dd>{shownValue(theirs, t('quota.unlimited'))}</dd>
        <dt>{t('policy.mine')}</dt>
        <dd>{shownValue(mine, t('quota.unlimited'))}</dd>
      </dl>
    </section>
  )
}
