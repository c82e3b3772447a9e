import { Button } from '@mantine/core'
import { useTranslation } from 'react-i18next'
import { ending, size } from '../format'
import type { Shared } from './shared'

type Props = { shared: Shared; isAsking: boolean; onSend: () => void; onCancel: () => void }

/** Files that another app shared, and what it wrote with them. They are sent only when somebody says so, because other sites can share too. */
export function SharedCard({ shared: { files, text }, isAsking, onSend, onCancel }: Props) {
  const { t, i18n } = useTranslation()
  return (
    <div className="sharedFiles">
      <h1>{t('send.shared')}</h1>
      <ul>
        {files.map(({ file, name }, at) => (
          <li className="item" key={at}>
            <span className="tile" aria-hidden="true">
              {ending(name) || '•'}
            </span>
            <div className="itemBody">
              <p className="itemName">{name}</p>
              <p className="figures">{size(file.size, i18n.language)}</p>
            </div>
          </li>
        ))}
        {text && (
          <li className="item">
            <span className="tile" aria-hidden="true">
              TXT
            </span>
            <div className="itemBody">
              <p className="itemName" dir="auto">
                {text}
              </p>
            </div>
          </li>
        )}
      </ul>
      <div className="buttons">
        <Button onClick={onSend} loading={isAsking} autoFocus>
          {t('send.sendShared')}
        </Button>
        <Button variant="default" onClick={onCancel}>
          {t('send.cancel')}
        </Button>
      </div>
    </div>
  )
}
