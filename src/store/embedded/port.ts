// Picks the server's port: the one that was asked for, the one of last time, or any that is free.
import { type AddressInfo, createServer } from 'node:net'
import { conflict } from '../../core/error.ts'
import { codeOf } from './refusals.ts'

/** A port that was free a moment ago; throws `conflict` when the one that was asked for is taken. */
export async function freePort(asked: number | undefined, last: number): Promise<number> {
  const port = await tryPort(asked ?? last)
  if (port !== null) return port
  if (asked !== undefined)
    throw conflict(
      `Port ${asked} on 127.0.0.1, which the embedded PostgreSQL is to use, is taken by another program: stop that, or choose another port.`,
    )
  return (await tryPort(0))!
}

const tryPort = (port: number): Promise<number | null> =>
  new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', error => (codeOf(error) === 'EADDRINUSE' ? resolve(null) : reject(error)))
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => {
      const { port: found } = server.address() as AddressInfo
      server.close(() => resolve(found))
    })
  })
