import { expect, it } from 'vitest'
import { asField, asMoment } from './moments'

it('keeps a moment through a field', () => expect(asMoment(asField('2026-11-30T12:30:00.000Z'))).toBe('2026-11-30T12:30:00.000Z'))
it('takes an empty field for never', () => expect(asMoment('')).toBeNull())
it('shows nothing for never', () => expect(asField(null)).toBe(''))
it('is not confused by what is no date', () => expect([asField('soon'), asMoment('soon')]).toEqual(['', null]))
