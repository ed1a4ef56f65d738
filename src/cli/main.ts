#!/usr/bin/env node
// The command `atoll`: what it can do, and how it ends.

import { Command, Option } from 'commander'
import { ConfigError, loadConfig } from '../config/config.ts'

// Each command imports its own modules: help and a wrong option need none of them, and they take a second to
// load.
const onDatabase = () => import('./database.ts')

const program = new Command('atoll')
  .description('Runs many OpenStack regions as one.')
  .version(process.env.npm_package_version ?? '0.1.0')
  .addHelpText(
    'after',
    '\nExamples:\n  atoll serve --demo\n  atoll serve --config /etc/atoll/atoll.yaml\n  atoll doctor',
  )
  .exitOverride()

const configOption = new Option('--config <file>', 'the configuration file (YAML); see atoll.example.yaml')

const command = (name: string, description: string, example: string, parent = program): Command =>
  parent
    .command(name)
    .description(description)
    .addOption(configOption)
    .addHelpText('after', `\nExample:\n  ${example}`)

command(
  'serve',
  'Serves the APIs and does the work behind them',
  'atoll serve --config /etc/atoll/atoll.yaml --role api',
)
  .addOption(
    new Option('--demo', 'with an embedded database and a simulated OpenStack of three regions').conflicts(
      'role',
    ),
  )
  .addOption(
    new Option('--role <role>', 'what this process does').choices(['all', 'api', 'worker']).default('all'),
  )
  .action(async options => (await import('./serve.ts')).runServe(loadConfig(options.config), options))

command('migrate', 'Brings the database to this release', 'atoll migrate --contract')
  .option('--contract', 'also take away what older releases used; stop their processes first')
  .action(async options => (await onDatabase()).runMigrate(loadConfig(options.config), options))

command('backup', 'Writes a logical copy of the database to a file', 'atoll backup /var/backups/atoll.gz')
  .argument('<file>', 'the file to write')
  .action(async (file, options) => (await onDatabase()).runBackup(loadConfig(options.config), file))

command('restore', 'Fills an empty database from a backup', 'atoll restore /var/backups/atoll.gz')
  .argument('<file>', 'the file that `atoll backup` wrote')
  .action(async (file, options) => (await onDatabase()).runRestore(loadConfig(options.config), file))

command(
  'doctor',
  'Checks the database, Keystone and every region, and says what to do',
  'atoll doctor --ledger',
)
  .option('--ledger', 'instead, make the ledger anew from supply and holds and name every row that differs')
  .action(async options => (await import('./doctor.ts')).runDoctor(loadConfig(options.config), options))

command(
  'topology',
  'Shows the regions, the networks, routers and ports in them, the links between them, and their state',
  [
    'atoll topology',
    'atoll topology --region Pod1 --no-ports',
    'atoll topology --network 5f0c3a52-7a0c-4d4e-8f0e-6a3f6d1c2b11',
    'atoll topology --project 9d3bd0f2f8d94b6b8b3a3b2f4c1d2e3f --ports --json',
  ].join('\n  '),
)
  .option('--region <name>', 'only what is in this region')
  .option('--network <id>', 'only this network, and what is on it')
  .option('--project <id>', 'only what this project sees')
  .option('--ports', 'each port; they are only counted unless a region or a network is named')
  .option('--no-ports', 'only how many ports there are')
  .option('--json', 'as GET /atoll/v1/topology answers')
  .action(async options => (await import('./topology.ts')).runTopology(loadConfig(options.config), options))

const region = program
  .command('region')
  .description(
    'Says which regions are not believed, and takes an administrator’s word for what is gone there',
  )
  .addHelpText('after', '\nExamples:\n  atoll region list\n  atoll region confirm Pod1')
command('list', 'Lists the regions, and why one is suspect', 'atoll region list', region)
  .option('--json', 'as GET /atoll/v1/regions answers')
  .action(async options => (await import('./region.ts')).listRegions(loadConfig(options.config), options))
command(
  'confirm',
  'Says that what a suspect region does not show is gone indeed, so that it leaves the model',
  ['atoll region confirm Pod1', 'atoll region confirm Pod1 --yes'].join('\n  '),
  region,
)
  .argument('<name>', 'the region')
  .option('--yes', 'without asking: what is missing has been looked at')
  .action(async (name, options) =>
    (await import('./region.ts')).confirmRegion(loadConfig(options.config), name, options),
  )

command(
  'routes',
  'Lists every route with what reads, does and shows it, and its policy rule',
  'atoll routes',
).action(async options => (await import('./routes.ts')).printRoutes(loadConfig(options.config)))

/**
 * Runs the command; returns the exit code. 0: done. 1: it failed. 2: its use was wrong (a command, an option,
 * a setting).
 */
async function main(): Promise<number> {
  try {
    await program.parseAsync()
    return Number(process.exitCode ?? 0)
  } catch (error) {
    if (error instanceof ConfigError) {
      console.error(error.message)
      return 2
    }
    const { code = '', exitCode = 1 } = error as { code?: string; exitCode?: number }
    // The library commander has printed the error already.
    if (code.startsWith('commander.')) return exitCode === 0 ? 0 : 2
    if (process.env.DEBUG) console.error(error)
    else console.error((error as Error).message)
    return code === 'invalid' ? 2 : 1
  }
}

const code = await main()
// Output that a slow reader has not read yet is not cut off.
process.stdout.write('', () => process.exit(code))
