// A process that dies at a moment of its work that a test chooses: what it has asked for by then is done, nothing after.

import type { App, Store } from '../../src/core/app.ts'
import type { Cloud } from '../../src/core/cloud.ts'
import type { RegionClient, Regions } from '../../src/openstack/region.ts'

export class Killed extends Error {}

/** The step that kills, counted from 1, and whether its effect comes about. */
export interface Death {
  readonly step: number
  readonly after: boolean
}

/** The moments at which one may die are numbered from 0: before and after the effect of each step. */
export const deathAt = (moment: number): Death => ({
  step: Math.floor(moment / 2) + 1,
  after: moment % 2 === 1,
})

export interface Life {
  /** Every call to a region and to the database so far, by name. */
  readonly steps: string[]
  readonly isOver: boolean
  /** One call; throws `Killed` when it is the last, and ever after. */
  live<T>(name: string, call: () => Promise<T>): Promise<T>
}

/** Without a death it lives for ever, and counts. */
export function lifeUntil(death: Death | null): Life {
  const steps: string[] = []
  let isOver = false
  return {
    steps,
    get isOver() {
      return isOver
    },
    async live(name, call) {
      if (isOver) throw new Killed()
      steps.push(name)
      if (steps.length !== death?.step) {
        const answer = await call()
        // The process has died while it waited.
        if (isOver) throw new Killed()
        return answer
      }
      isOver = true
      if (death.after) await call().catch(() => {})
      throw new Killed()
    },
  }
}

/** Regions whose every HTTP call is a step. */
export const mortalRegions = (regions: Regions, life: Life): Regions => ({
  region(name, context) {
    const region: RegionClient = regions.region(name, context)
    return {
      ...region,
      call: (service, request) =>
        life.live(`${request.method} ${service} ${request.path.replaceAll(/[0-9a-f-]{36}/g, '…')}`, () =>
          region.call(service, request),
        ),
    }
  },
  projectId: () => regions.projectId(),
  login: role => regions.login(role),
  close: () => regions.close(),
})

type Verb = (...args: unknown[]) => Promise<unknown>

/** A store whose every use is a step: a transaction as a whole, and each verb of each noun. */
export function mortalStore(store: Store, life: Life): Store {
  const wrapped = Object.entries(store).map(([noun, verbs]) => {
    if (typeof verbs === 'function')
      return [noun, (work: unknown) => life.live(noun, () => (verbs as Verb)(work))]
    const each = Object.entries(verbs as Record<string, Verb>).map(([verb, call]) => [
      verb,
      (...args: unknown[]) => life.live(`${noun}.${verb}`, () => call.apply(verbs, args)),
    ])
    return [noun, Object.fromEntries(each)]
  })
  return Object.fromEntries(wrapped) as Store
}

export const mortalApp = (app: App, cloud: (life: Life) => Cloud, life: Life): App => ({
  ...app,
  store: mortalStore(app.store, life),
  cloud: cloud(life),
})
