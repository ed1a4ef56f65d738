// Creating several resources in one request: all are made, or none is.

import type { App } from '../../app.ts'
import type { Caller } from '../../caller.ts'
import type { RemovalAsk } from './specs.ts'

type Create<Spec, Made> = (app: App, caller: Caller, spec: Spec) => Promise<Made>
type Remove = (app: App, caller: Caller, removal: RemovalAsk) => Promise<void>

/**
 * Makes resources in order; where one cannot be made, those before it are removed, and its error is thrown.
 */
export async function createAll<Spec, Made extends { readonly id: string }>(
  app: App,
  caller: Caller,
  specs: readonly Spec[],
  { create, remove }: { create: Create<Spec, Made>; remove: Remove },
): Promise<Made[]> {
  const made: Made[] = []
  try {
    for (const spec of specs) made.push(await create(app, caller, spec))
    return made
  } catch (error) {
    for (const { id } of made.reverse()) {
      await remove(app, caller, { id }).catch(failure => app.report(failure, `undoing a bulk create: ${id}`))
    }
    throw error
  }
}
