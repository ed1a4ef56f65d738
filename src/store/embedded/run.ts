// Starts the server's programs: their environment, their user, and what a short one said.
import { spawn } from 'node:child_process'

export interface ServerUser {
  readonly uid: number
  readonly gid: number
}

export interface Outcome {
  readonly status: number | null
  readonly stdout: string
  readonly stderr: string
}

/**
 * How each program is started: in a session of its own, so that Ctrl-C in a terminal reaches only us, and without
 * our environment, where PGOPTIONS or LD_LIBRARY_PATH would change what it does.
 */
export const spawnOptions = (user: ServerUser | null) => ({
  cwd: '/',
  detached: true,
  env: { PATH: process.env.PATH ?? '/usr/bin:/bin', LC_ALL: 'C' },
  ...(user && { uid: user.uid, gid: user.gid }),
})

/** Runs a program to its end; rejects only when it cannot be started at all. */
export const run = (program: string, args: readonly string[], user: ServerUser | null): Promise<Outcome> =>
  new Promise((resolve, reject) => {
    const child = spawn(program, args, { ...spawnOptions(user), stdio: ['ignore', 'pipe', 'pipe'] })
    const said = { stdout: '', stderr: '' }
    child.stdout.setEncoding('utf8').on('data', text => {
      said.stdout += text
    })
    child.stderr.setEncoding('utf8').on('data', text => {
      said.stderr += text
    })
    child.once('error', reject)
    child.once('close', status => resolve({ status, ...said }))
  })
