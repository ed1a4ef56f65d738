// Quality of service: no policy exists here, so that none can be named.

import { refusal } from '../errors.ts'
import type { Attribute } from './attributes.ts'
import { orNull, uuid } from './kinds.ts'

const checkUuid = orNull(uuid).check

export const qualityPolicy: Attribute = {
  kind: {
    check: value => {
      const message = checkUuid?.(value)
      if (message !== undefined || value === null) return message
      throw refusal(404, 'QosPolicyNotFound', `QoS policy ${String(value)} could not be found.`)
    },
  },
  set: 'always',
  default: null,
  show: () => null,
}
