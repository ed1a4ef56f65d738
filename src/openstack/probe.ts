// Probes a service of a region: its URL, latency, clock and versions.
import { z } from 'zod'
import { readClock } from './clock.ts'
import type { RegionClient } from './region.ts'
import type { ServiceType } from './services.ts'
import { many } from './wire-fields.ts'

export interface Version {
  readonly id: string
  readonly status: string
  /** Microversions, where the service has them. */
  readonly min: string | null
  readonly max: string | null
}

export interface Probe {
  /** The URL of its version document. */
  readonly url: string
  readonly latencyMs: number
  /**
   * How far the service's clock is ahead of ours, give or take half a second; null when its answers have no
   * `Date`.
   */
  readonly clockSkewMs: number | null
  readonly versions: readonly Version[]
}

const word = z.string().max(100)
const version = z
  .object({ id: word, status: word.nullish(), min_version: word.nullish(), version: word.nullish() })
  .extend({ max_version: word.nullish() })
  .transform(
    (wire): Version => ({
      id: wire.id,
      status: wire.status ?? '',
      min: wire.min_version || null,
      max: wire.max_version || wire.version || null,
    }),
  )

/** Keystone nests its list under one more key, `values`. */
const versions = z.object({
  versions: z.union([many(version), z.object({ values: many(version) }).transform(of => of.values)]),
})

/**
 * Asks a service for its version document, twice: the second answer, on an open connection, tells the latency.
 * Throws as `RegionClient.call`.
 */
export async function probe(region: RegionClient, service: ServiceType): Promise<Probe> {
  const ask = () =>
    region.call(service, { method: 'GET', path: '/', fromRoot: true, accept: reply => reply.status === 300 })
  await ask()
  const startedAt = Date.now()
  const reply = await ask()
  const endedAt = Date.now()
  const parsed = versions.safeParse(reply.body)
  if (!parsed.success) throw reply.unexpected('no version document')
  return {
    url: reply.url,
    latencyMs: endedAt - startedAt,
    clockSkewMs: readClock(reply, startedAt, endedAt)?.skewMs ?? null,
    versions: parsed.data.versions,
  }
}
