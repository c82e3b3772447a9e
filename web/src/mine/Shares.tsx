import { TextInput } from '@mantine/core'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Guarded } from '../parts/Guarded'
import { KeptShares } from './KeptShares'
import { OwnedShares } from './OwnedShares'

export function Shares({ isOwner }: { isOwner: boolean }) {
  const { t } = useTranslation()
  const [words, setWords] = useState('')
  return (
    <>
      {!isOwner && <p className="faint">{t('mine.signInFor')}</p>}
      <TextInput
        type="search"
        aria-label={t('mine.search')}
        placeholder={t('mine.search')}
        value={words}
        onChange={(event) => setWords(event.target.value)}
      />
      <Guarded to="mine" otherwise={<KeptShares words={words} />}>
        <OwnedShares words={words} />
      </Guarded>
    </>
  )
}
