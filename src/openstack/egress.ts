// The guard before every connection to a URL that a user or a provider's catalog has named: it may lead only
// where a line of `providers.allow` lets it, and never to this machine, its link or Atoll itself unless a
// line names just that.
import { lookup as systemLookup } from 'node:dns/promises'
import { networkInterfaces } from 'node:os'
import { invalid } from '../core/error.ts'
import {
  type Address,
  cidrContains,
  compareAddresses,
  formatAddress,
  parseAddress,
} from '../core/network/addresses/address.ts'
import {
  type AllowLine,
  fits,
  namesAddress,
  namesHost,
  namesOne,
  parseAllowLine,
  readTarget,
  type Target,
  targetOf,
} from './allow-lines.ts'
import { type Connector, deniedCode } from './http.ts'
import { specialNetworkOf, unmapped } from './special-addresses.ts'

export interface Listener {
  readonly host: string
  readonly port: number
}

export type Lookup = (host: string) => Promise<readonly string[]>

export interface EgressSettings {
  /** `https://keystone.example.com:5000`, `http://10.0.0.0/8`, …; with none, nothing may be called. */
  readonly allow: readonly string[]
  /** Where Atoll and its database listen: called only where a line names that one address and port. */
  readonly own?: readonly Listener[]
  /** Every address of a name; the system's resolver by default. */
  readonly lookup?: Lookup
}

/** Why a URL or address may not be called; for the log, since it tells what a name resolves to. */
export class DeniedError extends Error {
  readonly code = deniedCode

  constructor(message: string) {
    super(message)
    this.name = 'DeniedError'
  }
}

export interface Egress {
  /**
   * Checks the text of a URL. Throws `DeniedError` for one that may not be called whatever its host resolves
   * to.
   */
  check(url: URL): void
  /** The addresses of a target's host, each checked. Throws `DeniedError`, and what the look-up throws. */
  addressesOf(target: Target): Promise<readonly string[]>
  /**
   * Guards a connector: for every connection the host is looked up once, and the checked addresses are
   * connected to.
   */
  through(connect: Connector): Connector
}

const defaultLookup: Lookup = async host =>
  (await systemLookup(host, { all: true, verbatim: true })).map(one => one.address)

/** Throws `invalid` for a line of `providers.allow` that cannot be read. */
export function createEgress({ allow, own = [], lookup = defaultLookup }: EgressSettings): Egress {
  const lines = allow.map(readLine)

  function check(url: URL): void {
    const target = targetOf(url)
    if (!target) throw new DeniedError('it has more in it than a scheme, a host, a port and a path')
    const address = parseAddress(target.host)
    const mayFit = (line: AllowLine): boolean =>
      address
        ? namesAddress(line, unmapped(address))
        : namesHost(line, target) || typeof line.host !== 'string'
    if (!lines.some(line => fits(line, target) && mayFit(line))) throw new DeniedError('no line allows it')
  }

  async function addressesOf(target: Target): Promise<readonly string[]> {
    const fitting = lines.filter(line => fits(line, target))
    if (fitting.length === 0)
      throw new DeniedError(`no line allows ${target.protocol} at port ${target.port}`)
    const texts = parseAddress(target.host) ? [target.host] : await lookup(target.host)
    const isNamed = fitting.some(line => namesHost(line, target))
    const ours = await ownAddresses(target.port)
    const addresses = texts.map(text => {
      const address = parseAddress(text)
      if (!address) throw new DeniedError(`${target.host} is ${text}, which is no address`)
      const plain = unmapped(address)
      const why = problem(plain, fitting, isNamed, ours)
      if (why) throw new DeniedError(`${target.host} is ${text}, ${why}`)
      return formatAddress(plain)
    })
    if (addresses.length === 0) throw new DeniedError(`${target.host} has no address`)
    return addresses
  }

  /** The addresses at which Atoll or its database listens at a port. */
  async function ownAddresses(port: number): Promise<readonly Address[]> {
    const hosts = own.filter(one => one.port === port).map(one => one.host)
    const found = await Promise.all(hosts.map(host => listening(host, lookup)))
    return found.flat().flatMap(text => {
      const address = parseAddress(text)
      return address ? [unmapped(address)] : []
    })
  }

  return { check, addressesOf, through: connect => guarded(connect, addressesOf) }
}

function readLine(text: string): AllowLine {
  const line = parseAllowLine(text)
  if (line) return line
  const example = 'https://keystone.example.com:5000, http://10.0.0.0/8 or https://[fd00::/8]:5000-9999'
  throw invalid(`${JSON.stringify(text)} does not say what may be called; a line is like ${example}`)
}

/** Why an address may not be called; null when it may. */
function problem(
  address: Address,
  lines: readonly AllowLine[],
  isNamed: boolean,
  ours: readonly Address[],
): string | null {
  const naming = lines.filter(line => namesAddress(line, address))
  if (naming.length === 0 && !isNamed) return 'which no line allows'
  const special = specialNetworkOf(address)
  const isMeant = ({ host }: AllowLine): boolean =>
    special !== null && typeof host !== 'string' && cidrContains(special, host)
  if (special && !naming.some(isMeant)) return 'which leads to this machine or its link, and no line names it'
  const isOurs = ours.some(one => compareAddresses(one, address) === 0)
  return isOurs && !naming.some(namesOne) ? 'where Atoll or its database listens' : null
}

/** The addresses that a listener's host stands for: for a wildcard, every address of this machine. */
async function listening(host: string, lookup: Lookup): Promise<readonly string[]> {
  if (!['0.0.0.0', '::', '*'].includes(host)) {
    return parseAddress(host) ? [host] : lookup(host).catch(() => [])
  }
  const all = Object.values(networkInterfaces()).flatMap(each => each ?? [])
  return ['127.0.0.1', '::1', ...all.map(one => one.address)]
}

/** How many addresses of a name are tried. */
const mostTried = 4

function guarded(connect: Connector, addressesOf: Egress['addressesOf']): Connector {
  return (options, callback) => {
    const tryNext = ([address, ...others]: readonly string[]): void =>
      // Only the address is replaced: the host's name stays, which the certificate must have.
      void connect({ ...options, hostname: address! }, (...[error, socket]) => {
        if (error && others.length > 0) tryNext(others)
        else if (error) callback(error, null)
        else callback(null, socket)
      })
    addressesOf(readTarget(options.protocol, options.hostname, String(options.port ?? ''))).then(
      addresses => tryNext(addresses.slice(0, mostTried)),
      error => callback(error, null),
    )
  }
}
