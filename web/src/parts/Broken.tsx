import { Button } from '@mantine/core'
import { useTranslation } from 'react-i18next'

/** Stands for a place that does not open, mostly because its program is gone: the server has a newer page. */
export function Broken() {
  const { t } = useTranslation()
  return (
    <main className="column">
      <section className="card centered" role="alert">
        <h1>{t('lost.broken')}</h1>
        <p className="faint">{t('lost.brokenHint')}</p>
        <Button onClick={() => location.reload()}>{t('lost.reload')}</Button>
      </section>
    </main>
  )
}
