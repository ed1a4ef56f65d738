// Processes of clients of a world that fight for something, and are killed at any moment and started again.

import { fork } from 'node:child_process'
import { once } from 'node:events'
import { pick } from '../chance.ts'
import { until } from '../wait.ts'
import type { World } from '../world.ts'

export interface ClientProcess {
  kill(): Promise<void>
}

/** `hear` is told what it tells; that it ends by itself is one of the errors. */
export function startClient<Told>(
  program: string,
  args: readonly string[],
  { hear, errors }: { hear(told: Told): void; readonly errors: string[] },
): ClientProcess {
  const child = fork(program, args)
  const exited = once(child, 'exit')
  exited.then(([code]) => code !== null && errors.push(`a process ended with ${code}`))
  child.on('message', hear)
  return {
    async kill() {
      child.kill('SIGKILL')
      await exited
    },
  }
}

export interface Battle {
  readonly processes: number
  /** What the connections of the clients are called in the database. */
  readonly name: string
  readonly chance: () => number
  start(place: number): ClientProcess
  /** Whether all of them fight. */
  isOn(): boolean
  /** How many operations have ended. */
  ended(): number
  /** How many there are between two kills, give or take half. */
  readonly operationsAKill: number
  /** Whether one more is to be killed. */
  goesOn(): boolean
  /** One has been, and another has its place. */
  killed(): unknown
}

/** Fights to its end: when it is over, the database knows that all of them are gone. */
export async function battle(w: World, spec: Battle): Promise<void> {
  const { processes, name, chance, ended } = spec
  const alive = Array.from({ length: processes }, (_, place) => spec.start(place))
  const killAll = () => Promise.all(alive.map(one => one.kill()))
  w.after(killAll)
  await until(spec.isOn, { what: 'all are fighting', seen: ended })
  while (spec.goesOn()) {
    const next = ended() + spec.operationsAKill * (0.5 + chance())
    await until(() => ended() >= next, { what: `${next} operations`, seen: ended })
    const place = pick([...alive.keys()], chance)
    await alive[place]!.kill()
    alive[place] = spec.start(place)
    await spec.killed()
  }
  await killAll()
  const theirs = 'select from pg_stat_activity where application_name = $1 and datname = current_database()'
  const areGone = async () => (await w.query(theirs, [name])).length === 0
  await until(areGone, { what: 'the database has noticed that they are gone' })
}
