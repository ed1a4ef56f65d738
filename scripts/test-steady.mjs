// Runs the tests three times, the second time beside a process that keeps every core busy: a suite that fails only on a
// busy machine says something untrue. Arguments go to vitest: `npm run test:steady -- test/config.test.ts`.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { availableParallelism } from 'node:os'

const runs = ['alone', 'beside a busy process', 'alone']

/** A thread for each core that only turns round. All of it goes with whoever started it, however that one ends. */
const busyProgram = `
  import { Worker } from 'node:worker_threads'
  process.once('disconnect', () => process.exit())
  for (let core = 0; core < ${availableParallelism()}; core += 1) new Worker('for (;;) ;', { eval: true })`

async function startBusy() {
  const stdio = ['ignore', 'ignore', 'inherit', 'ipc']
  const child = spawn(process.execPath, ['--input-type=module', '-e', busyProgram], { stdio })
  await once(child, 'spawn')
  return child
}

async function stop(child) {
  if (child.exitCode !== null || child.signalCode !== null)
    throw new Error('the busy process ended by itself')
  child.kill('SIGKILL')
  await once(child, 'exit')
}

/** The exit code of vitest, and the seconds of the processor that it and all that it started took. */
async function vitest(args) {
  // Bash tells what its children took; Node does not.
  const script = 'TIMEFORMAT="%U %S"; { time npx vitest run "$@" 2>&4; } 4>&2 2>&3'
  const child = spawn('bash', ['-c', script, 'bash', ...args], {
    stdio: ['ignore', 'inherit', 'inherit', 'pipe'],
  })
  let times = ''
  child.stdio[3].setEncoding('utf8').on('data', text => {
    times += text
  })
  const [code] = await once(child, 'close')
  const [user, system] = times.trim().split(' ').map(Number)
  return { code, processorSeconds: user + system }
}

async function run(what) {
  const busy = what === 'alone' ? null : await startBusy()
  const startedAt = performance.now()
  try {
    const ended = await vitest(process.argv.slice(2))
    return { what, ...ended, wallSeconds: (performance.now() - startedAt) / 1000 }
  } finally {
    if (busy) await stop(busy)
  }
}

const results = []
for (const what of runs) results.push(await run(what))
for (const [index, { what, code, wallSeconds, processorSeconds }] of results.entries())
  console.log(
    `run ${index + 1}, ${what}: ${code === 0 ? 'passed' : 'FAILED'}, ` +
      `${wallSeconds.toFixed(1)} s, ${processorSeconds.toFixed(1)} s of the processor`,
  )
process.exit(results.every(({ code }) => code === 0) ? 0 : 1)
