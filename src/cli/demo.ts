// `atoll serve --demo`: Atoll with a simulated OpenStack of three regions beside it, and what to try.

import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Logger } from 'pino'
import { stringify } from 'yaml'
import { type Cloud, startCloud } from '../../sim/cloud.ts'
import { type Atoll, startAtoll } from '../compose.ts'
import { type Config, ConfigError } from '../config/config.ts'
import { cannotListen, parseAddress } from '../configured.ts'
import type { Caller } from '../core/caller.ts'
import { enrolHost } from '../core/hosts/enrolment.ts'
import { listHosts } from '../core/hosts/hosts.ts'
import { createRegion, listRegions } from '../core/regions/regions.ts'

const central = 'CentralRegion'
const pods = { Pod1: 'az1', Pod2: 'az2', Pod3: 'az3' } as const
const password = 'atoll'

export async function startDemo(config: Config, log: Logger): Promise<Pick<Atoll, 'close'>> {
  if (config.identity.auth_url) {
    throw new ConfigError(
      '--demo brings a Keystone of its own: leave out identity.auth_url (ATOLL_IDENTITY_AUTH_URL), or --demo.',
    )
  }
  const listener = parseAddress(config.demo.keystone_listen)
  const cloud = await startCloud({
    regions: [central, ...Object.keys(pods)],
    host: listener.host,
    keystonePort: listener.port,
    atoll: { url: `${config.tls.cert_file ? 'https' : 'http'}://${config.listen}`, region: central },
  }).catch(error => {
    throw cannotListen('demo.keystone_listen', config.demo.keystone_listen, error)
  })
  try {
    const atoll = await startAtoll(withDemoCloud(config, cloud), log, 'all')
    await registerPods(atoll.app)
    await enrolHosts(atoll.app, cloud)
    const clouds = writeClouds(config.data_dir, cloud.authUrl)
    console.log(welcome(atoll.url!, cloud.authUrl, clouds))
    return {
      async close() {
        await atoll.close()
        await cloud.close()
      },
    }
  } catch (error) {
    await cloud.close()
    throw error
  }
}

const operator: Caller = {
  userId: 'demo',
  userName: 'demo',
  projectId: null,
  projectName: null,
  roles: [],
  requestId: 'req-demo',
}

/** Registers the pods that are missing: the database outlives a demo. */
async function registerPods(app: Atoll['app']): Promise<void> {
  const known = (await listRegions(app)).map(region => region.name)
  for (const [name, availabilityZone] of Object.entries({ [central]: '', ...pods })) {
    if (known.includes(name)) continue
    await createRegion(app, operator, { name, availabilityZone, localAvailabilityZone: '', dataCenter: '' })
  }
}

/**
 * Enrols the first half of each pod's hosts. After a restart of the simulated cloud the first survey closes
 * them again.
 */
async function enrolHosts(app: Atoll['app'], cloud: Cloud): Promise<void> {
  const known = (await listHosts(app, operator, { region: null })).map(host => host.hypervisorHostname)
  const enrol = async ([region, nova]: [string, { hosts(): { hypervisorHostname: string }[] }]) => {
    const hosts = nova.hosts().map(host => host.hypervisorHostname)
    for (const nameOrId of hosts.slice(0, hosts.length / 2)) {
      if (!known.includes(nameOrId)) await enrolHost(app, operator, { nameOrId, region, capabilities: {} })
    }
  }
  await Promise.all([...cloud.novas].map(enrol))
}

/**
 * The settings with the service user of the simulated cloud, and with leave for add-provider to call that
 * cloud.
 */
const withDemoCloud = (config: Config, { authUrl, origins }: Cloud): Config => ({
  ...config,
  identity: { ...config.identity, auth_url: authUrl, username: 'atoll', password, project_name: 'service' },
  providers: { ...config.providers, allow: [...config.providers.allow, ...origins] },
})

/** Writes the file that OpenStack clients read; returns its path. */
function writeClouds(directory: string, authUrl: string): string {
  const cloud = (user: string) => ({
    auth: {
      auth_url: authUrl,
      username: user,
      password,
      project_name: user,
      user_domain_name: 'Default',
      project_domain_name: 'Default',
    },
    // OpenStack clients take the first region where the user names none.
    regions: [central, ...Object.keys(pods)],
    identity_api_version: 3,
  })
  mkdirSync(directory, { recursive: true })
  const path = join(directory, 'clouds.yaml')
  writeFileSync(path, stringify({ clouds: { 'atoll-admin': cloud('admin'), 'atoll-demo': cloud('demo') } }), {
    mode: 0o600,
  })
  return path
}

const welcome = (url: string, authUrl: string, clouds: string): string => `
Atoll is ready at ${url}, with a simulated OpenStack beside it (Keystone at ${authUrl}).

  Regions     ${[central, ...Object.keys(pods)].join(', ')}
  Hosts       8 in each pod, half of them enrolled for reservations
  Users       admin and demo, password ${password}, each in the project of the same name
  clouds.yaml ${clouds}

Three things to try, in another terminal:

  curl -s ${url}/healthz
  TOKEN=$(curl -si ${authUrl}/auth/tokens -H 'Content-Type: application/json' -d '{"auth": {"identity": {"methods": ["password"], "password": {"user": {"name": "admin", "domain": {"id": "default"}, "password": "${password}"}}}, "scope": {"project": {"name": "admin", "domain": {"id": "default"}}}}}' | tr -d '\\r' | sed -n 's/^x-subject-token: //Ip')
  curl -s ${url}/tricircle/v1.0/pods -H "X-Auth-Token: $TOKEN"

Ctrl-C stops everything. The README goes on from here.
`
