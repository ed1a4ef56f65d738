import { defineConfig } from 'vitest/config'

// What needs a real OpenStack, or its clients: the contract files with ATOLL_LAB set, and the unmodified commands.
export default defineConfig({
  test: {
    include: [
      'test/contract/**/*.test.ts',
      'test/authorisation/**/*.test.ts',
      'test/sim/openstack-client.test.ts',
      'test/clients/{blazar,network,openstack-network}.test.ts',
      'test/sim/*-like-the-real.test.ts',
      'test/lab/**/*.test.ts',
      'test/network/t[0-9]*.test.ts',
      'test/network/servers.test.ts',
      'test/promise/servers.test.ts',
    ],
    globalSetup: ['test/postgres.ts'],
    testTimeout: 300_000,
    hookTimeout: 120_000,
    pool: 'forks',
    maxWorkers: 1,
  },
})
