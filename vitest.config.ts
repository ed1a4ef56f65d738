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
    pool: 'forks',
    maxWorkers: 2,
  },
})
