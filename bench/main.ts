// `npm run bench -- NAME [--option value …]`: runs a benchmark; a table for people, and as the last line its figures as JSON.

/** Each takes its own options and returns the figures that it has shown. */
const benchmarks: Readonly<Record<string, (args: string[]) => Promise<object>>> = {
  'admin-api': async args => (await import('./admin-api.ts')).adminApi(args),
  ledger: async args => (await import('./ledger.ts')).ledger(args),
  capacity: async args => (await import('./capacity.ts')).capacity(args),
  jobs: async args => (await import('./jobs.ts')).jobs(args),
  leases: async args => (await import('./leases.ts')).leases(args),
  network: async args => (await import('./network.ts')).network(args),
}

const [name = '', ...args] = process.argv.slice(2)
const benchmark = Object.hasOwn(benchmarks, name) ? benchmarks[name]! : null
if (!benchmark) {
  console.error(`Usage: npm run bench -- NAME\nThere are: ${Object.keys(benchmarks).join(', ')}.`)
  process.exit(2)
}
const figures = await benchmark(args)
console.log(JSON.stringify({ bench: name, ...figures }))
