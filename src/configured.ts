// The settings as core's rules, and as the options of the client that calls providers.

import type { Logger } from 'pino'
import { type Config, ConfigError, regionSettings } from './config/config.ts'
import type { PromiseRules } from './core/capacity/rules.ts'
import { AppError } from './core/error.ts'
import type { LeaseRules } from './core/leases/rules.ts'
import type { NetworkRules } from './core/network/model/rules.ts'
import type { RegionRules } from './core/regions/suspicion.ts'
import { createProviders, type Providers, type ProvidersSettings } from './openstack/provider.ts'

export const leaseRules = ({ leases }: Config): LeaseRules => ({
  beforeEndMs: leases.before_end_minutes * 60_000,
  beforeEnd: leases.before_end,
  cleaningMs: leases.cleaning_seconds * 1000,
  longestMs: leases.longest_seconds === undefined ? null : leases.longest_seconds * 1000,
  mostReservations: leases.most_reservations,
  retryForMs: leases.retry_for_seconds * 1000,
})

const hourMs = 3_600_000
const days = (given: number | undefined): number | null => (given === undefined ? null : given * 24 * hourMs)

export const promiseRules = ({ promises }: Config): PromiseRules => ({
  maxFutureStartMs: days(promises.max_future_start_days),
  maxFutureEndMs: days(promises.max_future_end_days),
  maxDurationMs: promises.max_duration_hours * hourMs,
  expiryMs: promises.expiry_minutes === 0 ? null : promises.expiry_minutes * 60_000,
})

export const networkRules = (config: Config): NetworkRules => networkRulesOf(config, regionSettings(config))

const networkRulesOf = (
  { networking }: Config,
  regions: ReturnType<typeof regionSettings>,
): NetworkRules => ({
  bridge: { cidr: networking.bridge_cidr, bits: networking.bridge_bits, cidr6: networking.bridge_cidr6 },
  fabric: {
    networkType: networking.network_type,
    physicalNetwork: networking.physical_network,
    from: networking.first_segment,
    to: networking.last_segment,
  },
  mtu: networking.mtu,
  quotas: {
    network: networking.quota_network,
    subnet: networking.quota_subnet,
    port: networking.quota_port,
    router: networking.quota_router,
    floatingip: networking.quota_floatingip,
    security_group: networking.quota_security_group,
    security_group_rule: networking.quota_security_group_rule,
  },
  limitsOf: region => ({
    routes: regions[region]?.routes ?? 30,
    hostRoutes: regions[region]?.host_routes ?? 20,
    rules: regions[region]?.group_rules ?? 100,
  }),
})

export const regionRules = ({ regions }: Config): RegionRules => ({ mostGone: regions.most_gone })

/** `databaseUrl` is the embedded server's where the settings name none. */
export function providersSettings(
  { providers, listen, operations_listen }: Config,
  databaseUrl: string,
): ProvidersSettings {
  const { hostname, port, searchParams } = new URL(databaseUrl)
  const database = {
    host: (searchParams.get('host') || hostname).replace(/^\[|\]$/g, ''),
    port: Number(searchParams.get('port') || port || 5432),
  }
  const listeners = [listen, operations_listen].flatMap(one => (one ? [parseAddress(one)] : []))
  return {
    allow: providers.allow,
    own: [...listeners, database],
    timeoutMs: providers.timeout_seconds * 1000,
    ...(providers.ca_file ? { caFile: providers.ca_file } : {}),
  }
}

/**
 * The client that calls providers, behind its guard; throws ConfigError for an unreadable line of
 * `providers.allow`.
 */
export function openProviders(config: Config, databaseUrl: string, log: Logger): Providers {
  const onRefusal = (refusal: object): void =>
    log.warn(refusal, 'a provider led to an address that may not be called: see providers.allow')
  try {
    return createProviders({ ...providersSettings(config, databaseUrl), onRefusal })
  } catch (error) {
    if (error instanceof AppError) throw new ConfigError(`providers: ${error.message}.`)
    throw error
  }
}

export function parseAddress(address: string): { host: string; port: number } {
  const colon = address.lastIndexOf(':')
  return { host: address.slice(0, colon).replace(/^\[|\]$/g, ''), port: Number(address.slice(colon + 1)) }
}

/** The error of a listener as a mistake in its setting; any other error stays as it is. */
export function cannotListen(key: string, address: string, error: unknown): unknown {
  const { code, syscall, message } = error as NodeJS.ErrnoException
  if (syscall !== 'listen' && syscall !== 'getaddrinfo') return error
  const variable = `ATOLL_${key.replace('.', '_').toUpperCase()}`
  const why = code === 'EADDRINUSE' ? 'another program listens there' : message
  return new ConfigError(
    `${key} (${variable}) cannot be ${address}: ${why}. Stop what is there or set another address.`,
  )
}
