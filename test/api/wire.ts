// A wire to the database that can be cut, fall silent, and be mended: for what a server that is gone does to us.

import { connect, createServer, type Socket } from 'node:net'

export interface Wire extends AsyncDisposable {
  /** The database's URL by way of this wire. */
  readonly url: string
  /** Ends the connections and refuses new ones. */
  cut(): void
  /** Lets nothing through any more, and says nothing of it: a host that is gone from the network. */
  silence(): void
  mend(): void
}

/** A wire to the server of this URL. */
export async function wire(target: string): Promise<Wire> {
  const { hostname, port } = new URL(target)
  const sockets = new Set<Socket>()
  let state: 'whole' | 'cut' | 'silent' = 'whole'
  const keep = (socket: Socket) => {
    sockets.add(socket)
    socket.on('error', () => {}).on('close', () => sockets.delete(socket))
  }
  const pass = (from: Socket, to: Socket) => {
    from.on('data', bytes => void (state === 'whole' && to.write(bytes)))
    from.on('close', () => void (state === 'silent' || to.destroy()))
  }
  const server = createServer(near => {
    keep(near)
    if (state === 'cut') return void near.destroy()
    const far = connect(Number(port), hostname)
    keep(far)
    pass(near, far)
    pass(far, near)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const hangUp = () => {
    for (const socket of sockets) socket.destroy()
  }
  const url = new URL(target)
  url.port = String((server.address() as { port: number }).port)
  return {
    url: url.href,
    cut() {
      state = 'cut'
      hangUp()
    },
    silence() {
      state = 'silent'
    },
    mend() {
      // What was lost meanwhile does not come back on the old connections.
      hangUp()
      state = 'whole'
    },
    async [Symbol.asyncDispose]() {
      hangUp()
      await new Promise(resolve => server.close(resolve))
    },
  }
}
