import { useTranslation } from 'react-i18next'
import { Link } from 'wouter'
import { CodeField } from './CodeField'

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
      <div className="otherCode">
        <CodeField />
      </div>
    </main>
  )
}
