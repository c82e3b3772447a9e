import { Deletion } from './Deletion'
import { Devices } from './Devices'
import { Keys } from './Keys'
import { Name } from './Name'
import { Password } from './Password'
import { Programs } from './Programs'
import { Usage } from './Usage'
import './account.css'

/** Everything about one's own account. */
export function SettingsPage() {
  return (
    <div className="settings">
      <Name />
      <Password />
      <Usage />
      <Devices />
      <Keys />
      <Programs />
      <Deletion />
    </div>
  )
}
