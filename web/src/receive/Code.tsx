import { Fragment, type ReactNode } from 'react'
import './code.css'
import type { Node } from './parsing'

export default function Code({ nodes }: { nodes: Node[] }) {
  return (
    <pre className="source" dir="ltr">
      {nodes.map(rendered)}
    </pre>
  )
}

function rendered(node: Node, key: number): ReactNode {
  if (typeof node === 'string') return <Fragment key={key}>{node}</Fragment>
  const inner = node.children.map(rendered)
  const scope = node.scope?.split('.')[0]
  return scope ? (
    <span key={key} className={`hl-${scope}`}>
      {inner}
    </span>
  ) : (
    <Fragment key={key}>{inner}</Fragment>
  )
}
