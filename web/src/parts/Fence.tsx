import { Component, type ReactNode } from 'react'

/** `place`: another one is tried again; `otherwise`: what is shown in place of what does not work. */
type Props = { place: string; children: ReactNode; otherwise: ReactNode }
/** `broken`: the place that does not work; empty as long as React has not told which. */
type State = { broken: string | null }

/** Keeps a failure inside: without it, one part that cannot be loaded or shown would take the whole page away. */
export class Fence extends Component<Props, State> {
  override state: State = { broken: null }

  override componentDidCatch() {
    this.setState({ broken: this.props.place })
  }

  static getDerivedStateFromError(): Partial<State> {
    return { broken: '' }
  }

  override render() {
    const { broken } = this.state
    return broken === '' || broken === this.props.place ? this.props.otherwise : this.props.children
  }
}
