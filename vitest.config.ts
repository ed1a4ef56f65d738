import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['src/**/*.test.ts', 'test/**/*.test.ts'],
    // These need the OpenStack commands: `npm run test:lab`.
    exclude: [
      'test/lab/**',
      'test/sim/openstack-client.test.ts',
      'test/clients/{blazar,network,openstack-network}.test.ts',
    ],
    globalSetup: ['test/postgres.ts'],
    // No test has to be quick: only one that hangs takes this long. What a test waits for gives up earlier and says what.
    testTimeout: 300_000,
    hookTimeout: 300_000,
    pool: 'forks',
    // Files of one process share what they import, which takes longer to load than most of them to run.
    isolate: false,
    maxWorkers: 2,
  },
})
