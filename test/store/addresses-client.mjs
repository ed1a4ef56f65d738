// A process of clients that take addresses of one subnet, each so many times at most, and tell what became of it.
//
// `each`: how many a transaction takes. `isLooking`: a picker that trusts what it has seen to be free; the constraints, or
// the test, must notice.

import { randomUUID } from 'node:crypto'
import { openDatabase } from '../../dist/src/store/database.js'
import { createStore } from '../../dist/src/store/store.js'

const { url, subnetId, pools, clients, each, isLooking, most } = JSON.parse(process.argv[2])
// Without its parent nobody would end it.
process.once('disconnect', () => process.exit())

const database = openDatabase(url, { connections: clients, name: 'address client', onError: () => {} })
const store = createStore(database.db)
const told = { held: 0, full: 0, contended: 0, errors: [] }

async function look() {
  const held = new Set((await store.networks.holdings(subnetId)).map(one => one.start))
  for (let n = 2; ; n += 1) {
    const address = `10.0.${n >> 8}.${n & 255}`
    if (!held.has(address)) return address
  }
}

async function take() {
  const start = isLooking && (await look())
  await store.transact(async ({ networks }) => {
    for (let taken = 0; taken < each; taken += 1) {
      const holding = { subnetId, scope: 'central', purpose: 'port', holder: randomUUID() }
      if (isLooking) await networks.hold({ ...holding, start, end: start })
      else if ((await networks.holdAny(pools, holding)) === null) throw new Error('full')
    }
  })
}

async function client() {
  for (let turn = 0; turn < most; turn += 1) {
    try {
      await take()
      told.held += each
    } catch (error) {
      if (error.message === 'full') {
        told.full += 1
        return
      }
      if (error.detail?.reason === 'addresses_contended') told.contended += 1
      else told.errors.push(`${error.stack}`)
    }
  }
}

await store.networks.holdings(subnetId)
process.once('message', async () => {
  await Promise.all(Array.from({ length: clients }, client))
  process.send(told, () => process.exit())
})
process.send('ready')
