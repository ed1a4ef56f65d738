// Which folder may import which (docs/architecture.md has the same table in words). `npm run rules` checks it.
const test = '\\.test\\.ts$'

/** A rule: files under `from` import only what `allowed` matches among our own folders. */
const only = (name, from, allowed, comment) => ({
  name,
  comment,
  severity: 'error',
  from: { path: from, pathNot: test },
  to: { path: '^(src|sim|console|bench|test)/', pathNot: allowed },
})

module.exports = {
  forbidden: [
    only('core-is-alone', '^src/core/', '^src/core/', 'core decides; it imports nothing but core'),
    {
      name: 'core-does-no-io',
      comment: 'core reaches out through ports: no Node builtins, no packages',
      severity: 'error',
      from: { path: '^src/core/', pathNot: test },
      to: {
        dependencyTypes: ['core', 'npm', 'npm-dev', 'npm-optional', 'npm-peer', 'npm-no-pkg', 'npm-unknown'],
      },
    },
    only('store-knows-core', '^src/store/', '^src/(core|store)/', 'store keeps what core describes'),
    only(
      'openstack-knows-core',
      '^src/openstack/',
      '^src/(core|openstack)/',
      'openstack speaks to regions for core',
    ),
    only(
      'worker-knows-core',
      '^src/worker/',
      '^src/(core|worker)/',
      'worker calls core; core reaches out through ports',
    ),
    only('api-knows-core', '^src/api/', '^src/(core|api)/', 'a face is a view of core'),
    {
      name: 'faces-are-strangers',
      comment: 'a face never imports another face',
      severity: 'error',
      from: { path: '^src/api/([^/]+)/', pathNot: test },
      to: { path: '^src/api/[^/]+/', pathNot: '^src/api/$1/' },
    },
    only(
      'cli-only-composes',
      '^src/cli/(?!demo)',
      '^src/((cli|config)/|(compose|mounts|upkeep|diagnosis)\\.ts)',
      'cli starts things; compose builds them',
    ),
    only(
      'demo-brings-the-sim',
      '^src/cli/demo',
      '^(src/((cli|config|core)/|(compose|configured)\\.ts)|sim/)',
      'only the demo brings the simulator',
    ),
    only('config-is-alone', '^src/config/', '^src/config/', 'config reads settings and knows nothing else'),
    only(
      'compose-never-imports-cli',
      '^src/(compose|mounts|upkeep|diagnosis)\\.ts',
      '^src/((core|store|openstack|api|worker|config)/|(compose|configured|mounts|upkeep)\\.ts)',
      'compose builds; cli starts',
    ),
    only('sim-is-a-witness', '^sim/', '^sim/', 'the simulator shares no code with what it checks'),
    only('console-is-a-client', '^console/', '^console/', 'the console speaks HTTP only'),
    {
      name: 'src-never-imports-tests',
      comment: 'what ships does not know its tests',
      severity: 'error',
      from: { path: '^(src|sim|bench)/', pathNot: test },
      to: { path: `^test/|${test}` },
    },
    { name: 'no-cycles', severity: 'error', comment: 'no cycles', from: {}, to: { circular: true } },
    {
      name: 'no-folder-cycles',
      comment: 'of two folders side by side only one imports the other, by whatever ways round',
      severity: 'error',
      scope: 'folder',
      from: { path: '^(src|sim|bench)/' },
      to: { circular: true },
    },
    {
      name: 'no-undeclared-packages',
      comment: 'what is imported is in package.json',
      severity: 'error',
      from: { path: '^(src|sim)/', pathNot: test },
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'] },
    },
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: {
      extensions: ['.ts', '.tsx', '.mjs', '.js', '.json'],
      conditionNames: ['import', 'types', 'node'],
    },
  },
}
