// A hundred clients at two processes want the last unit at the same time: exactly one gets it (A19).
//
// SOAK=1 does it a thousand times instead of five.

import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { hourMs } from '../world/promises.ts'
import { type Process, type World, world } from '../world.ts'

const noLock = fileURLToPath(new URL('no-lock.mjs', import.meta.url))

const rounds = process.env.SOAK === '1' ? 1000 : 5
const clients = 100

interface Tally {
  rounds: number
  oks: number
  conflicts: number
  readonly errors: string[]
  /** Rounds in which another number than one was ok. */
  readonly wrong: string[]
}

// biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape
async function ask(atoll: Process, operation: string, body: object): Promise<any> {
  const { json } = await atoll.call('POST', `/promise/${operation}`, { body })
  return json
}

async function done(atoll: Process, operation: string, body: object): Promise<void> {
  const answer = await ask(atoll, operation, body)
  if (answer.result !== 'ok') throw new Error(`${operation}: ${JSON.stringify(answer)}`)
}

const hour = (n: number): string =>
  new Date(Math.ceil(Date.now() / hourMs) * hourMs + n * hourMs).toISOString()

/** Of five cores four are held for as long as all rounds take. */
async function leaveOne(w: World, atoll: Process): Promise<void> {
  for (const [region_name, az_name] of [
    ['CentralRegion', ''],
    ['Pod1', 'az1'],
  ])
    await atoll.call('POST', '/v1.0/pods', { body: { pod: { region_name, az_name } } })
  const provider = await ask(atoll, 'add-provider', {
    endpoint: w.cloud.authUrl,
    username: 'admin',
    password: 'atoll',
    region: 'Pod1',
    tenant: { name: 'admin' },
  })
  await done(atoll, 'increase-capacity', { source: provider['provider-id'], capacity: { cores: 5 } })
  await done(atoll, 'create-reservation', { end: hour(rounds + 2), capacity: { cores: 4 } })
}

/** Every round is for the last core of an hour that nobody has asked for before. */
async function fight(processes: readonly Process[], isOver: (tally: Tally) => boolean): Promise<Tally> {
  const tally: Tally = { rounds: 0, oks: 0, conflicts: 0, errors: [], wrong: [] }
  while (tally.rounds < rounds && !isOver(tally)) {
    const { rounds: round } = tally
    const wanted = { start: hour(round + 1), end: hour(round + 2), capacity: { cores: 1 } }
    const answers = await Promise.all(
      Array.from({ length: clients }, (_, n) =>
        ask(processes[n % processes.length]!, 'create-reservation', wanted),
      ),
    )
    const oks = answers.filter(({ result }) => result === 'ok').length
    tally.rounds += 1
    tally.oks += oks
    tally.conflicts += answers.filter(({ result }) => result === 'conflict').length
    tally.errors.push(
      ...answers.flatMap(one => (['ok', 'conflict'].includes(one.result) ? [] : [JSON.stringify(one)])),
    )
    if (oks !== 1) tally.wrong.push(`round ${round}: ${oks} were ok`)
  }
  return tally
}

const print = (what: string, { rounds, oks, conflicts, errors, wrong }: Tally): void =>
  console.log(
    `${what}: ${rounds} rounds, ${oks} ok, ${conflicts} conflicts, ${errors.length} errors, ${wrong.length} rounds went wrong`,
  )

describe(`${clients} clients at two processes`, () => {
  it('have one who gets the last unit, every time', async () => {
    await using w = await world()
    const processes = [await w.process(), await w.process()]
    await leaveOne(w, processes[0]!)
    const tally = await fight(processes, () => false)
    print('the last unit', tally)
    expect(tally.wrong).toEqual([])
    expect(tally.errors).toEqual([])
    expect(tally.conflicts).toBe((clients - 1) * tally.rounds)
    const kept = await w.query<{ count: number }>(
      `select count(*)::int from capacity_reservation where state = 'living'`,
    )
    expect(kept[0]!.count).toBe(tally.oks + 1)
  }, 3_600_000)

  it('have several, and this test notices, where the lock does nothing', async () => {
    await using w = await world()
    const processes = [await w.process(noLock), await w.process(noLock)]
    // The second line, which would refuse it all.
    await w.query('drop trigger hold_needs_lock on hold')
    await w.query('drop trigger usage_needs_lock on usage')
    await leaveOne(w, processes[0]!)
    const tally = await fight(processes, ({ wrong }) => wrong.length > 0)
    print('planted', tally)
    expect(tally.wrong.length).toBeGreaterThan(0)
    expect(tally.oks).toBeGreaterThan(tally.rounds)
  })
})
