// The path by which routes are found: faces differ in which endings they tell apart.

/** Faces of this kind do not tell `/pods` from `/pods/` or `/pods.json`. */
const lenientPath = /^(?:\/tricircle)?(?:\/v1\.0(?:\/.*)?)?\/?$/
/** Neither do those of this kind, but for the version alone. */
const versionedPath = /^(?:\/network)?\/v2\.0\/.*$/
/** Of this kind: `/leases` is `/leases.json`, and `/leases/` is nothing. */
const suffixedPath = /^(?:\/reservation(?:\/[^/]+)?)?\/v1\/.+$/

/** As a proxy's client may send it: the whole URL. */
const origin = /^https?:\/\/[^/?]*/i

/** The path of a request's target, without the query. */
export const pathOf = (target: string): string => target.replace(origin, '').split('?')[0] || '/'

/** The path that routes are found by: without the endings that a face does not tell apart. */
export function normalisePath(target: string): string {
  const [, ...query] = target.split('?')
  // No fragment ever comes over the wire: the router would take what follows for one, and find another path than is there.
  return [barePath(pathOf(target)).replaceAll('#', '%23'), ...query].join('?')
}

function barePath(path: string): string {
  if (path === '/reservation/' || path === '/network/') return path.slice(0, -1)
  if (versionedPath.test(path)) return path.replace(/\/$/, '').replace(/(?<=[^/])\.json$/, '')
  if (suffixedPath.test(path)) return path.replace(/(?<=[^/])\.json$/, '')
  if (!lenientPath.test(path)) return path
  return path.replace(/\/$/, '').replace(/(?<=\/v1\.0\/.+)\.json$/, '') || '/'
}
