// Runs the built command again and again in one process, as often as it is told to: its modules, which take a second of the
// processor to load, are loaded once. The command itself is begun anew each time.

/** What is written to a stream while the command runs; returns what ends that. */
function listen(stream, hear) {
  const { write } = stream
  stream.write = (text, ...rest) => {
    hear(String(text))
    rest.find(one => typeof one === 'function')?.()
    return true
  }
  return () => {
    stream.write = write
  }
}

let turn = 0

async function run({ main, args, env }) {
  for (const name of Object.keys(process.env)) delete process.env[name]
  Object.assign(process.env, env)
  process.argv = [process.argv[0], main, ...args]
  process.exitCode = undefined
  const said = { out: '', err: '' }
  const unheard = [
    listen(process.stdout, text => {
      said.out += text
    }),
    listen(process.stderr, text => {
      said.err += text
    }),
  ]
  const { exit } = process
  const ended = new Promise(resolve => {
    process.exit = resolve
  })
  turn += 1
  await import(`${main}?${turn}`)
  const code = await ended
  process.exit = exit
  for (const end of unheard) end()
  return { code, ...said }
}

process.on('message', async asked => process.send(await run(asked)))
