// `atoll doctor`: prints each check's result; exit code 1 when one failed.

import type { Config } from '../config/config.ts'
import { diagnose, diagnoseLedger } from '../diagnosis.ts'
import { createQuietLog } from './log.ts'

/** Checks the ledger with `ledger`, and else all that Atoll depends on. */
export async function runDoctor(
  config: Config,
  { ledger = false }: { ledger?: boolean } = {},
): Promise<void> {
  let bad = 0
  const look = ledger ? diagnoseLedger : diagnose
  await look(config, createQuietLog(), ({ good, subject, sentence }) => {
    console.log(`${good ? 'ok ' : 'BAD'}  ${subject}: ${sentence}`)
    if (!good) bad += 1
  })
  console.log(bad === 0 ? 'All is well.' : `${bad} ${bad === 1 ? 'thing needs' : 'things need'} attention.`)
  if (bad > 0) process.exitCode = 1
}
