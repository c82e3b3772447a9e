import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'
import { type Device, endDevice, endOtherDevices, listDevices } from '../api/account'
import { moment } from '../format'
import { Wrong } from '../parts/Wrong'
import { deviceName } from './deviceName'

const KEY = ['devices']

/** Where the account is signed in. */
export function Devices() {
  const { t } = useTranslation('own')
  const queries = useQueryClient()
  const found = useQuery({ queryKey: KEY, queryFn: listDevices })
  const end = useMutation({
    mutationFn: (id: string | null) => (id === null ? endOtherDevices() : endDevice(id)),
    onSettled: () => void queries.invalidateQueries({ queryKey: KEY }),
  })
  const devices = [...(found.data ?? [])].sort((one, other) => Number(other.current) - Number(one.current))
  return (
    <section className="card inner">
      <div className="line">
        <h2>{t('account.devices')}</h2>
        {devices.length > 1 && (
          <button type="button" className="link small" disabled={end.isPending} onClick={() => end.mutate(null)}>
            {t('account.endOthers')}
          </button>
        )}
      </div>
      <ul className="rows">
        {devices.map((device) => (
          <DeviceRow key={device.id} device={device} onEnd={() => end.mutate(device.id)} />
        ))}
      </ul>
      <Wrong error={end.error ?? found.error} />
    </section>
  )
}

function DeviceRow({ device, onEnd }: { device: Device; onEnd: () => void }) {
  const { t, i18n } = useTranslation('own')
  const name = deviceName(device.label)
  return (
    <li>
      <div>
        <p className="itemName" title={device.label}>
          {name}
        </p>
        <p className="figures">
          {t('account.since', { moment: moment(device.created_at, i18n.language) })}
          {device.expires_at && ` · ${t('account.until', { moment: moment(device.expires_at, i18n.language) })}`}
        </p>
      </div>
      {device.current ? (
        <span className="small itemState ready">{t('account.here')}</span>
      ) : (
        <button type="button" className="link small" aria-label={t('account.endNamed', { name })} onClick={onEnd}>
          {t('account.end')}
        </button>
      )}
    </li>
  )
}
