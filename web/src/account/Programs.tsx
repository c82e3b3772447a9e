import { Button, PasswordInput } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { createCurl, createSharex, createToken } from '../api/account'
import { useSession } from '../api/session'
import { Once } from '../parts/Once'
import { saveFile } from '../parts/saveFile'
import { Wrong } from '../parts/Wrong'

/** Ready-made configurations of programs. Each is a session of its own, and can be ended in the list of devices. */
export function Programs() {
  const { t } = useTranslation('own')
  const queries = useQueryClient()
  const again = () => void queries.invalidateQueries({ queryKey: ['devices'] })
  const curl = useMutation({ mutationFn: createCurl, onSuccess: again })
  const sharex = useMutation({ mutationFn: async () => saveFile(await createSharex(), 'waystation.sxcu'), onSuccess: again })
  return (
    <section className="card inner">
      <div>
        <h2>{t('account.programs')}</h2>
        <p className="faint small">{t('account.programsHint')}</p>
      </div>
      <ul className="rows">
        <li>
          <div>
            <p className="itemName">curl</p>
            <p className="figures">{t('account.curlHint')}</p>
          </div>
          <Button variant="default" loading={curl.isPending} onClick={() => curl.mutate()}>
            {t('account.makeCurl')}
          </Button>
        </li>
        <li>
          <div>
            <p className="itemName">ShareX</p>
            <p className="figures">{sharex.isSuccess ? `✓ ${t('account.sharexDone')}` : t('account.sharexHint')}</p>
          </div>
          <Button variant="default" loading={sharex.isPending} onClick={() => sharex.mutate()}>
            {t('account.makeSharex')}
          </Button>
        </li>
        <Token onMade={again} />
      </ul>
      {curl.data && (
        <Once text={curl.data} label="curl">
          {t('account.copyLine')}
        </Once>
      )}
      <Wrong error={curl.error ?? sharex.error} />
    </section>
  )
}

function Token({ onMade }: { onMade: () => void }) {
  const { t } = useTranslation('own')
  const name = useSession()?.name ?? ''
  const [password, setPassword] = useState<string | null>(null)
  const create = useMutation({
    mutationFn: () => createToken(name, password ?? ''),
    onSuccess: () => {
      setPassword(null)
      onMade()
    },
  })
  return (
    <li>
      <div>
        <p className="itemName">{t('account.bot')}</p>
        <p className="figures">{t('account.botHint')}</p>
      </div>
      {password === null ? (
        <Button variant="default" onClick={() => setPassword('')}>
          {t('account.makeToken')}
        </Button>
      ) : (
        <form
          className="oneLine"
          onSubmit={(event) => {
            event.preventDefault()
            create.mutate()
          }}
        >
          <PasswordInput
            autoFocus
            label={t('account.yourPassword')}
            value={password}
            autoComplete="current-password"
            onChange={(event) => setPassword(event.target.value)}
          />
          <Button type="submit" loading={create.isPending} disabled={password === ''}>
            {t('account.makeToken')}
          </Button>
        </form>
      )}
      {create.data && (
        <div className="whole form" role="status">
          <p>{t('account.tokenOnce')}</p>
          <Once text={create.data} label={t('account.bot')}>
            {t('account.copyToken')}
          </Once>
        </div>
      )}
      <Wrong error={create.error} />
    </li>
  )
}
