// `atoll region list`, `atoll region confirm`: which regions are suspect, and an administrator's word for what is gone.

import { createInterface } from 'node:readline'
import { type Config, ConfigError } from '../config/config.ts'
import { confirmInDatabase, type RegionsView, readRegions } from '../upkeep.ts'
import { createQuietLog } from './log.ts'

type RegionView = RegionsView['regions'][number]
type SuspicionView = RegionView['suspicions'][number]

export async function listRegions(
  config: Config,
  { json = false }: { readonly json?: boolean },
): Promise<void> {
  const regions = await readRegions(config, createQuietLog())
  console.log(json ? JSON.stringify(regions, null, 2) : regions.regions.flatMap(linesOf).join('\n'))
}

/**
 * Confirms what is missing in a region. The exit code is 1 where the answer is no, and 2 where there is no
 * terminal to ask at.
 */
export async function confirmRegion(
  config: Config,
  name: string,
  { yes = false }: { readonly yes?: boolean },
): Promise<void> {
  const log = createQuietLog()
  const region = (await readRegions(config, log)).regions.find(one => one.name === name)
  const counts = Object.fromEntries((region?.suspicions ?? []).flatMap(missingOf))
  if (region && region.suspicions.length > 0) {
    console.log(linesOf(region).join('\n'))
    if (!yes && !process.stdin.isTTY)
      throw new ConfigError('There is no terminal to ask at: look at what is missing, and say --yes')
    if (!yes && !(await agree(`Is all of this gone from ${name} indeed, and may it leave the model? `))) {
      console.log('Nothing is confirmed.')
      process.exitCode = 1
      return
    }
  }
  // The counts that were shown are sent: where they have changed since, or there is nothing to confirm, this
  // throws.
  await confirmInDatabase(config, log, { name, counts })
  console.log(`Confirmed: what is missing leaves the model with the next look at ${name}.`)
}

function linesOf({ name, availability_zone, state, suspicions }: RegionView): string[] {
  return [
    `${name} (${availability_zone})  ${state}`,
    ...suspicions.flatMap(suspicion => [
      `  since ${suspicion.since}, by its ${suspicion.through}: ${suspicion.reason}`,
      ...missingOf(suspicion).map(
        ([kind, missing]) => `    ${kind}: ${missing} of ${suspicion.counts[kind]!.known} missing`,
      ),
      ...(suspicion.confirmed ? ['    confirmed: the next look decides'] : []),
    ]),
  ]
}

const missingOf = ({ counts }: SuspicionView): [kind: string, missing: number][] =>
  Object.entries(counts).flatMap(([kind, { missing }]) => (missing > 0 ? [[kind, missing]] : []))

/** An end of input, or an interrupt, is no. */
function agree(question: string): Promise<boolean> {
  const terminal = createInterface({ input: process.stdin, output: process.stdout })
  return new Promise(done => {
    terminal.once('close', () => done(false))
    terminal.question(`${question}[y/N] `, answer => {
      done(/^y(es)?$/i.test(answer.trim()))
      terminal.close()
    })
  })
}
