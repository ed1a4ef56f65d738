// Lists of routings over the Tricircle Admin API, beyond what seeds and recordings show.

import { describe, expect, it } from 'vitest'
import { fileWorld } from '../../world.ts'

const w = await fileWorld()

describe.each(['routings', 'jobs'])('all_projects of %s', collection => {
  const list = async (value: string) =>
    (await w.call('GET', `/v1.0/${collection}?all_projects=${value}`)).json

  it.each(['true', 'True', 'false'])('may be %s', async value => {
    expect(await list(value)).toEqual({ [collection]: [] })
  })

  it.each(['1', '', 'yes'])('is refused when it is "%s", and not silently left out', async value => {
    expect(await list(value)).toEqual({
      badRequest: { message: `all_projects must be true or false, not '${value}'`, code: 400 },
    })
  })
})
