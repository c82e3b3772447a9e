import { Button } from '@mantine/core'
import { useEffect, useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { type Finding, PROBES, type ProbeName } from './probes'

/** What stands between browsers and the system, found by trying: proxies limit, hold back and cut off more than they say. */
export function ProxyCheck() {
  const { t } = useTranslation('admin')
  const [found, setFound] = useState<Partial<Record<ProbeName, Finding | 'running'>>>({})
  const stop = useRef<AbortController | null>(null)
  useEffect(() => () => stop.current?.abort(), [])
  const isRunning = Object.values(found).includes('running')

  async function run() {
    stop.current?.abort()
    const mine = new AbortController()
    stop.current = mine
    setFound({})
    for (const [name, probe] of Object.entries(PROBES)) {
      if (mine.signal.aborted) return
      setFound((before) => ({ ...before, [name]: 'running' }))
      const finding = await probe(mine.signal)
      setFound((before) => ({ ...before, [name]: finding }))
    }
  }

  return (
    <section className="card inner" aria-busy={isRunning}>
      <div className="line">
        <div className="grows">
          <h2>{t('proxy.title')}</h2>
          <p className="faint small">{t('proxy.hint')}</p>
        </div>
        <Button variant="default" loading={isRunning} onClick={() => void run()}>
          {t('proxy.run')}
        </Button>
      </div>
      {Object.keys(found).length > 0 && (
        <ul className="rows" aria-live="polite">
          {(Object.keys(PROBES) as ProbeName[]).map((name) => (
            <Row key={name} name={name} finding={found[name]} />
          ))}
        </ul>
      )}
    </section>
  )
}

function Row({ name, finding }: { name: ProbeName; finding: Finding | 'running' | undefined }) {
  const { t } = useTranslation('admin')
  if (finding === undefined) return null
  return (
    <li>
      <div>
        <p className="itemName">{t(`proxy.${name}.title`)}</p>
        <p className="figures">{finding === 'running' ? t(`proxy.${name}.asks`) : finding.isWell ? t(`proxy.${name}.well`) : t(`proxy.${name}.bad`, { detail: finding.detail })}</p>
      </div>
      {finding === 'running' ? (
        <span className="faint">…</span>
      ) : (
        <span className={`pill ${finding.isWell ? 'good' : 'bad'}`}>{finding.isWell ? `✓ ${t('proxy.fine')}` : t('proxy.mend')}</span>
      )}
    </li>
  )
}
