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
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // What did not come in time on a busy machine is waited for once more, and the output says so; all else fails at once.
    retry: { count: 1, condition: /^not within \d+ s|^Test timed out/ },
    pool: 'forks',
    // Files of one process share what they import, which takes longer to load than most of them to run.
    isolate: false,
    maxWorkers: 2,
  },
})
