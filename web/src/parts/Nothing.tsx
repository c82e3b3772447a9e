import { useTranslation } from 'react-i18next'
import { Link } from 'wouter'

export function Nothing() {
  const { t } = useTranslation()
  return (
    <main className="column">
      <div className="card centered">
        <h1>{t('lost.title')}</h1>
        <Link href="/" className="link">
          {t('lost.home')}
        </Link>
      </div>
    </main>
  )
}
