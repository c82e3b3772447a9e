import { expect, it } from 'vitest'
import { KINDS, optionsIn } from './mirrorKinds'

it('reads options', () => expect(optionsIn('bucket = b\nsecret=a=b==\n\n# no option\nroot = \n')).toEqual({ bucket: 'b', secret: 'a=b==' }))
it('takes an untouched form for no options', () => expect(optionsIn(KINDS['s3']!)).toEqual({}))
