import { useQuery } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'
import { readSystem } from '../api/admin'
import type { WaitingRows } from '../api/types'
import { duration } from '../format'
import { Waiting } from '../parts/Waiting'
import { Wrong } from '../parts/Wrong'
import { Moment } from './Moment'
import { ProxyCheck } from './ProxyCheck'
import { StoreFigure } from './StoreFigure'
import { Table } from './Table'

const LOOK_MILLISECONDS = 10_000

/** The parts of the system: versions, health, and what is waiting. */
export function System() {
  const { t, i18n } = useTranslation('admin')
  const found = useQuery({ queryKey: ['admin', 'system'], queryFn: readSystem, refetchInterval: LOOK_MILLISECONDS })
  const system = found.data
  const ago = (seconds: number | null) => (seconds === null ? '—' : duration(seconds * 1000, i18n.language))
  return (
    <>
      <ProxyCheck />
      <Wrong error={found.error} />
      {!system && !found.error && <Waiting />}
      {system && (
        <>
          <div className="figuresGrid">
            <dl className="card figure">
              <dt>{t('system.version')}</dt>
              <dd className="large">{system.version}</dd>
            </dl>
            <dl className="storeFigure">
              {system.store && <StoreFigure store={system.store} />}
            </dl>
          </div>
          <h2>{t('system.parts')}</h2>
          <Table
            rows={[
              ...system.services.map((each) => ({ ...each, kind: t('system.service'), detail: Object.entries(each.detail).map((pair) => pair.join(': ')).join(', ') })),
              ...system.engines.map((each) => ({ ...each, kind: t('system.engine'), started_at: null })),
              ...system.workers.map((each) => ({ ...each, kind: t('system.worker'), version: null, started_at: null, detail: t('system.processes', { count: each.processes }) })),
            ]}
            idOf={({ kind, name }) => `${kind} ${name}`}
            nameOf={({ name }) => name}
            columns={[
              { name: t('list.name'), cell: ({ name }) => <div className="name">{name}</div> },
              { name: t('system.kind'), cell: ({ kind }) => kind },
              { name: t('system.version'), cell: ({ version }) => version ?? '—' },
              { name: t('system.since'), cell: ({ started_at }) => <Moment at={started_at} /> },
              {
                name: t('list.state'),
                cell: ({ kind, healthy, detail }) => (
                  <div className="stateCell">
                    <span className={`pill ${healthy ? 'good' : 'bad'}`}>{healthy ? t('system.well') : t('system.ill')}</span>
                    {(!healthy || kind === t('system.worker')) && detail && <span className="figures anywhere">{detail}</span>}
                  </div>
                ),
              },
            ]}
          />
          <h2>{t('system.queues')}</h2>
          <Table
            rows={system.queues}
            idOf={({ name }) => name}
            nameOf={({ name }) => name}
            columns={[
              { name: t('list.name'), cell: ({ name }) => <div className="name">{name}</div> },
              { name: t('system.depth'), isNumber: true, cell: ({ depth }) => depth },
              { name: t('system.oldest'), isNumber: true, cell: ({ oldest_seconds }) => ago(oldest_seconds) },
            ]}
          />
          <h2>{t('system.backlog')}</h2>
          <Backlog sweeps={system.backlog} />
        </>
      )}
    </>
  )
}

/** The sweeps that have something to do; the others, mostly all of them, are folded. */
function Backlog({ sweeps }: { sweeps: WaitingRows[] }) {
  const { t } = useTranslation('admin')
  const [busy, idle] = [sweeps.filter(({ rows }) => rows > 0), sweeps.filter(({ rows }) => rows === 0)]
  const table = (rows: WaitingRows[]) => (
    <Table
      rows={rows}
      idOf={({ service, name }) => `${service} ${name}`}
      nameOf={({ name }) => name}
      columns={[
        { name: t('list.name'), cell: ({ name }) => <div className="name">{name}</div> },
        { name: t('system.of'), cell: ({ service }) => service },
        { name: t('system.rows'), isNumber: true, cell: ({ rows: count }) => count },
      ]}
    />
  )
  return (
    <>
      {busy.length > 0 && table(busy)}
      {idle.length > 0 && (
        <details className="idleSweeps">
          <summary className="faint">{t('system.idle', { count: idle.length })}</summary>
          {table(idle)}
        </details>
      )}
    </>
  )
}
