// What work costs this process, whoever else is busy on the machine: time of the processor and memory.

import { meanwhile } from './wait.ts'

/** Milliseconds of the processor. */
export async function cpuMs(work: () => Promise<unknown>): Promise<number> {
  const before = process.cpuUsage()
  await work()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1000
}

/** How many bytes memory rises above its level at the start, while the work goes on. */
export async function memoryRise(work: () => Promise<unknown>): Promise<number> {
  const before = process.memoryUsage().rss
  let highest = before
  const look = (): void => {
    highest = Math.max(highest, process.memoryUsage().rss)
  }
  await meanwhile(look, work())
  return highest - before
}
