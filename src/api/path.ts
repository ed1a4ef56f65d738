// Normalises the path by which routes are found: faces differ in the endings (`/`, `.json`) that they ignore.

/** Paths of the Tricircle face, where `/pods`, `/pods/` and `/pods.json` are the same. */
const lenientPath = /^(?:\/tricircle)?(?:\/v1\.0(?:\/.*)?)?\/?$/
/**
 * Paths of the Networking face, where `/networks`, `/networks/` and `/networks.json` are the same, except for
 * the bare version.
 */
const versionedPath = /^(?:\/network)?\/v2\.0\/.*$/
/**
 * Paths of the Reservation face, where `/leases` and `/leases.json` are the same and `/leases/` is another
 * path.
 */
const suffixedPath = /^(?:\/reservation(?:\/[^/]+)?)?\/v1\/.+$/

/** The scheme and host of a request target that is a whole URL, as a client of a proxy may send. */
const origin = /^https?:\/\/[^/?]*/i

/** The path of a request's target, without the query. */
export const pathOf = (target: string): string => target.replace(origin, '').split('?')[0] || '/'

/** The path that routes are found by: without the endings that a face does not tell apart. */
export function normalisePath(target: string): string {
  const [, ...query] = target.split('?')
  // A `#` is encoded: requests have no fragments, but the router would cut the path at it and find another
  // route.
  return [barePath(pathOf(target)).replaceAll('#', '%23'), ...query].join('?')
}

function barePath(path: string): string {
  if (path === '/reservation/' || path === '/network/') return path.slice(0, -1)
  if (versionedPath.test(path)) return path.replace(/\/$/, '').replace(/(?<=[^/])\.json$/, '')
  if (suffixedPath.test(path)) return path.replace(/(?<=[^/])\.json$/, '')
  if (!lenientPath.test(path)) return path
  return path.replace(/\/$/, '').replace(/(?<=\/v1\.0\/.+)\.json$/, '') || '/'
}
