import { Button } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { Dialog } from '../parts/Dialog'
import { Wrong } from '../parts/Wrong'

type Props = { title: string; children: ReactNode; act: string; onAct: () => Promise<unknown>; onClose: () => void; isReady?: boolean }

/** Asks once more before something that cannot be undone. */
export function Ask({ title, children, act, onAct, onClose, isReady = true }: Props) {
  const { t } = useTranslation('admin')
  const acting = useMutation({ mutationFn: onAct, onSuccess: onClose })
  return (
    <Dialog title={title} onClose={onClose}>
      <form
        className="form"
        onSubmit={(event) => {
          event.preventDefault()
          acting.mutate()
        }}
      >
        {children}
        <Wrong error={acting.error} />
        <div className="buttons">
          <Button type="submit" className="dangerFilled" loading={acting.isPending} disabled={!isReady}>
            {act}
          </Button>
          <Button variant="default" onClick={onClose}>
            {t('cancel')}
          </Button>
        </div>
      </form>
    </Dialog>
  )
}
