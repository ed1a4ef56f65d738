// Pages of very many ports in very many regions, through the store and through the API: how their time and what they
// touch grow with the number of ports.

import { type Cloud, startCloud } from '../sim/cloud.ts'
import type { ResourceQuery } from '../src/core/network/model/network-store.ts'
import type { Ground } from './ground.ts'
import { inTurns, median, printTable, rounded } from './measure.ts'
import { type Filled, fill } from './network-fill.ts'
import { type Api, openApi } from './network-site.ts'
import { statementsOf, touchedBy } from './routings.ts'

export interface ListSettings {
  /** Ports of a page. */
  readonly page: number
  readonly ports: number
  readonly against: number
  readonly regions: number
  readonly pairs: number
  /** How often each page is asked for in one measurement. */
  readonly times: number
}

interface Place extends Filled, Api {
  readonly url: string
  /** The port after which there is one page left: of all, and of the first network. */
  readonly markers: { readonly all: string; readonly network: string }
}

interface PageSpec {
  readonly name: string
  query(place: Place): Pick<ResourceQuery, 'where' | 'sort' | 'marker' | 'reverse'>
  path(place: Place): string
}

const everything = { where: [], sort: [], marker: null, reverse: false }
const whereNetwork = ({ networkIds }: Place) => [{ field: 'networkId', in: [networkIds[0]!] }]

const pages: readonly PageSpec[] = [
  { name: 'first', query: () => everything, path: () => '' },
  {
    name: 'last',
    query: ({ markers }) => ({ ...everything, marker: markers.all }),
    path: ({ markers }) => `&marker=${markers.all}`,
  },
  {
    name: 'last, page_reverse',
    query: () => ({ ...everything, reverse: true }),
    path: () => '&page_reverse=True',
  },
  {
    name: 'of a network, first',
    query: place => ({ ...everything, where: whereNetwork(place) }),
    path: ({ networkIds }) => `&network_id=${networkIds[0]}`,
  },
  {
    name: 'of a network, last',
    query: place => ({ ...everything, where: whereNetwork(place), marker: place.markers.network }),
    path: ({ networkIds, markers }) => `&network_id=${networkIds[0]}&marker=${markers.network}`,
  },
]

/** Returns how the pages were filled, and for each page its time and what it touched at both sizes. */
export async function lists(ground: Ground, settings: ListSettings): Promise<object> {
  const cloud = await startCloud({ regions: ['CentralRegion'] })
  ground.defer(() => cloud.close())
  const small = await placeOf(ground, cloud, settings, settings.against)
  const large = await placeOf(ground, cloud, settings, settings.ports)
  const figures: Figures[] = []
  for (const page of pages) figures.push(await measure(page, { small, large }, settings))
  show(figures, { small, large }, settings)
  const filledPerSecond = rounded(large.perSecond, 0)
  return { ports: [small.ports, large.ports], regions: settings.regions, filledPerSecond, figures }
}

async function placeOf(
  ground: Ground,
  cloud: Cloud,
  { page, regions }: ListSettings,
  ports: number,
): Promise<Place> {
  const url = await ground.database(`ports_${ports}`)
  const filled = await fill(url, { ports, regions, projectId: cloud.keystone.projectId('admin') })
  console.log(`${ports} ports in ${regions} regions written, ${rounded(filled.perSecond, 0)} a second`)
  const api = openApi(ground, { cloud, url })
  const before = async (where: ResourceQuery['where']): Promise<string> => {
    const last = { ...everything, where, sight: null, limit: page + 1, reverse: true }
    return (await api.app.store.networks.list('port', last))![0]!.id
  }
  const network = await before([{ field: 'networkId', in: [filled.networkIds[0]!] }])
  return { ...filled, ...api, url, markers: { all: await before([]), network } }
}

interface Growth {
  readonly smallMs: number
  readonly largeMs: number
  readonly growth: number
}

interface Figures {
  readonly page: string
  readonly store: Growth
  readonly api: Growth
  readonly buffers: readonly [number, number]
  readonly rows: readonly [number, number]
}

interface Both {
  readonly small: Place
  readonly large: Place
}

async function measure(page: PageSpec, { small, large }: Both, settings: ListSettings): Promise<Figures> {
  const { page: limit } = settings
  // As the API asks the store: one row more tells whether there are more.
  const ask = (place: Place) => ({ ...page.query(place), sight: null, limit: limit + 1 })
  const store = async (place: Place): Promise<number> =>
    (await place.app.store.networks.list('port', ask(place)))!.slice(0, limit).length
  const api = async (place: Place): Promise<number> =>
    (await place.call('GET', `/ports?limit=${limit}${page.path(place)}`)).ports.length
  const touched = await Promise.all(
    [small, large].map(async place =>
      touchedBy(
        place.url,
        await statementsOf(place.url, ({ networks }) => networks.list('port', ask(place))),
      ),
    ),
  )
  return {
    page: page.name,
    store: await growthOf({ small, large }, settings, store),
    api: await growthOf({ small, large }, settings, api),
    buffers: [touched[0]!.buffers, touched[1]!.buffers],
    rows: [touched[0]!.rows, touched[1]!.rows],
  }
}

async function growthOf(
  { small, large }: Both,
  { page, pairs, times }: ListSettings,
  ask: (place: Place) => Promise<number>,
): Promise<Growth> {
  const on = (place: Place) => async () => {
    const startedAt = performance.now()
    for (let time = 0; time < times; time++) {
      const found = await ask(place)
      if (found !== page) throw new Error(`a page has ${found} ports`)
    }
    return (performance.now() - startedAt) / times
  }
  // The first pair warms up.
  const measured = (await inTurns(pairs + 1, on(small), on(large))).slice(1)
  return {
    smallMs: rounded(median(measured.map(([one]) => one))),
    largeMs: rounded(median(measured.map(([, other]) => other))),
    growth: rounded(median(measured.map(([one, other]) => other / one))),
  }
}

const wanted = 1_000_000

function show(figures: readonly Figures[], { small, large }: Both, { page: limit }: ListSettings): void {
  if (large.ports < wanted) {
    const minutes = Math.ceil(wanted / large.perSecond / 60)
    console.log(`\n${wanted} ports would take ${minutes} minutes to write here: --ports ${wanted}`)
  }
  printTable(
    `GET /ports?limit=${limit}: ms and what is touched at ${small.ports} and at ${large.ports} ports`,
    ['page', 'store', 'large', 'growth', 'API', 'large', 'growth', 'buffers', 'large', 'rows', 'large'],
    figures.map(({ page, store, api, buffers, rows }) => [
      page,
      ...Object.values(store),
      ...Object.values(api),
      ...buffers,
      ...rows,
    ]),
  )
}
