// Prints values as OpenStack's messages have them: the way Python does.

/** A value as Python's `str(value)`. */
export function printed(value: unknown): string {
  return typeof value === 'string' ? value : represented(value)
}

/** A value as Python's `repr(value)`. */
export function represented(value: unknown): string {
  if (value === null || value === undefined) return 'None'
  if (typeof value === 'boolean') return value ? 'True' : 'False'
  if (typeof value === 'string') return `'${value}'`
  if (Array.isArray(value)) return `[${value.map(represented).join(', ')}]`
  if (typeof value === 'object') {
    const pairs = Object.entries(value).map(([key, item]) => `'${key}': ${represented(item)}`)
    return `{${pairs.join(', ')}}`
  }
  return String(value)
}
