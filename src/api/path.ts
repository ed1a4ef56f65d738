// The path by which routes are found: faces differ in which endings they tell apart.

/** Faces of this kind do not tell `/pods` from `/pods/` or `/pods.json`. */
const lenientPath = /^(?:\/tricircle)?(?:\/v1\.0(?:\/.*)?)?\/?$/
/** Neither do those of this kind, but for the version alone. */
const versionedPath = /^(?:\/network)?\/v2\.0\/.*$/
/** Of this kind: `/leases` is `/leases.json`, and `/leases/` is nothing. */
const suffixedPath = /^(?:\/reservation(?:\/[^/]+)?)?\/v1\/.+$/

/** The path that routes are found by: without the endings that a face does not tell apart. */
export function normalisePath(url: string): string {
  const [path = '', ...query] = url.split('?')
  return [barePath(path), ...query].join('?')
}

function barePath(path: string): string {
  if (path === '/reservation/' || path === '/network/') return path.slice(0, -1)
  if (versionedPath.test(path)) return path.replace(/\/$/, '').replace(/(?<=[^/])\.json$/, '')
  if (suffixedPath.test(path)) return path.replace(/(?<=[^/])\.json$/, '')
  if (!lenientPath.test(path)) return path
  return path.replace(/\/$/, '').replace(/(?<=\/v1\.0\/.+)\.json$/, '') || '/'
}
