import type { ReactNode } from 'react'

function Icon({ size, children }: { size: number; children: ReactNode }) {
  return (
    <svg
      width={size}
      height={size}
      viewBox="0 0 24 24"
      fill="none"
      stroke="currentColor"
      strokeWidth="2"
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
    >
      {children}
    </svg>
  )
}

export const Mark = () => (
  <Icon size={24}>
    <path d="M2.5 20.5h19M5 20V9.6L12 3.5l7 6.1V20M12 9.5v6.5M9 13.2l3 3 3-3" />
  </Icon>
)

export const Up = () => (
  <Icon size={44}>
    <path d="M12 15V4M7.5 8.5 12 4l4.5 4.5M4 15v3.5A1.5 1.5 0 0 0 5.5 20h13a1.5 1.5 0 0 0 1.5-1.5V15" />
  </Icon>
)

export const Arrow = () => (
  <Icon size={20}>
    <path d="M5 12h14M13 6l6 6-6 6" />
  </Icon>
)

export const Cross = () => (
  <Icon size={18}>
    <path d="M6 6l12 12M18 6 6 18" />
  </Icon>
)

export const Reply = () => (
  <Icon size={17}>
    <path d="M9 7 4 12l5 5M4 12h10a6 6 0 0 1 6 6v1" />
  </Icon>
)

export const Pen = () => (
  <Icon size={16}>
    <path d="M4 20h4L19 9l-4-4L4 16zM13 7l4 4" />
  </Icon>
)
