import { useId, useState } from 'react'
import { useTranslation } from 'react-i18next'
import './plot.css'
import { niceTop } from './scale'

type Line = { name: string; values: number[] }
type Props = { title: string; lines: Line[]; times: string[]; step: 'hour' | 'day'; shown: (value: number) => string }

const WIDTH = 600
const HEIGHT = 160

/**
 * Lines over time: an SVG, because the page's policy forbids style rules that a library would add. A screen reader gets the
 * sums, and whoever points at it, or goes through it with the arrow keys, the values of a moment.
 */
export function Plot({ title, lines, times, step, shown }: Props) {
  const { t, i18n } = useTranslation('admin')
  const [pointed, setAt] = useState<number | null>(null)
  // Another span of time may have fewer moments.
  const at = pointed !== null && pointed < times.length ? pointed : null
  const name = useId()
  const top = niceTop(Math.max(0, ...lines.flatMap(({ values }) => values)))
  const last = Math.max(1, times.length - 1)
  const x = (index: number) => (index / last) * WIDTH
  const y = (value: number) => HEIGHT - (value / top) * HEIGHT
  const sums = lines.map(({ values }) => values.reduce((sum, value) => sum + value, 0))
  const isEmpty = sums.every((sum) => sum === 0)
  const time = (index: number) => named(times[index], step, i18n.language)

  function point(event: React.PointerEvent<SVGSVGElement>) {
    const { left, width } = event.currentTarget.getBoundingClientRect()
    setAt(Math.round(Math.min(1, Math.max(0, (event.clientX - left) / width)) * last))
  }
  function go(event: React.KeyboardEvent) {
    const by = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0
    if (by === 0) return
    event.preventDefault()
    setAt((before) => Math.min(last, Math.max(0, (before ?? last) + by)))
  }

  return (
    <figure className="card plot">
      <figcaption id={name}>{title}</figcaption>
      <ul className="legend">
        {lines.map((line, index) => (
          <li key={line.name}>
            <span className={`mark line${index}`} aria-hidden="true" />
            <span className="faint">{line.name}</span> <strong>{shown(at === null ? (sums[index] ?? 0) : (line.values[at] ?? 0))}</strong>
          </li>
        ))}
      </ul>
      <div className="plotArea">
        <span className="plotTop">{isEmpty ? '' : shown(top)}</span>
        <svg
          viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
          preserveAspectRatio="none"
          role="img"
          tabIndex={0}
          aria-labelledby={name}
          onPointerMove={point}
          onPointerDown={point}
          onPointerLeave={() => setAt(null)}
          onKeyDown={go}
          onBlur={() => setAt(null)}
        >
          {(isEmpty ? [0, 1] : [0, 0.5, 1]).map((share) => (
            <line key={share} className="grid" x1={0} x2={WIDTH} y1={HEIGHT * share} y2={HEIGHT * share} />
          ))}
          {!isEmpty &&
            lines.map((line, index) => (
              <g key={line.name} className={`line${index}`}>
                {index === 0 && <path className="area" d={`${path(line.values, x, y)}V${HEIGHT}H0Z`} />}
                <path className="stroke" d={path(line.values, x, y)} />
              </g>
            ))}
          {at !== null && <line className="cursor" x1={x(at)} x2={x(at)} y1={0} y2={HEIGHT} />}
        </svg>
        {isEmpty && <span className="plotEmpty faint small">{t('dashboard.nothing')}</span>}
      </div>
      <p className="plotTimes figures">
        {at !== null ? (
          <span role="status">{time(at)}</span>
        ) : (
          <>
            <span>{time(0)}</span>
            <span>{time(times.length - 1)}</span>
          </>
        )}
      </p>
    </figure>
  )
}

const path = (values: number[], x: (index: number) => number, y: (value: number) => number) =>
  values.map((value, index) => `${index === 0 ? 'M' : 'L'}${x(index).toFixed(1)} ${y(value).toFixed(1)}`).join('')

function named(time: string | undefined, step: 'hour' | 'day', language: string): string {
  if (!time) return '\u00a0'
  const style: Intl.DateTimeFormatOptions =
    step === 'hour' ? { month: 'short', day: 'numeric', hour: '2-digit', minute: '2-digit' } : { day: 'numeric', month: 'short', year: 'numeric' }
  return new Intl.DateTimeFormat(language, style).format(new Date(time))
}
