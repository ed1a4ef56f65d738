// Elements: things that the model has, reserved by their ids together with amounts, or alone.

import type { App } from '../app.ts'
import { type Caller, isAtLeast } from '../caller.ts'
import { invalid } from '../error.ts'

/** Throws `invalid` (`no_element`) for an id that is no thing which the caller may see. */
export async function checkElements(
  app: Pick<App, 'store'>,
  caller: Caller,
  ids: readonly string[],
): Promise<void> {
  if (ids.length === 0) return
  const known = await app.store.elements.known(ids, isAtLeast(caller, 'admin') ? null : caller.projectId)
  const unknown = ids.filter(id => !known.includes(id))
  if (unknown.length > 0)
    throw invalid(`no element found for ${unknown.slice(0, 10).join(', ')}`, 'no_element')
}
