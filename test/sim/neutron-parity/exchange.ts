// One exchange of the comparison: who asks what, and what of the answer the later ones need.

export type Person = 'admin' | 'demo' | 'alt' | 'nobody'

export interface Exchange {
  who: Person
  method: 'GET' | 'POST' | 'PUT' | 'DELETE' | 'PATCH' | 'HEAD'
  /** Below `/v2.0`, or from the root with a leading `^`. `{name}` stands for what was kept under that name. */
  path: string
  body?: unknown
  headers?: Record<string, string>
  /** Keeps the id of what the answer holds; of a bulk create as `name0`, `name1`, … */
  keep?: string
  /** What need not agree: these keys anywhere in the body, or all values, so that only the keys are compared. */
  loose?: readonly string[] | 'values'
}

type Options = Omit<Exchange, 'who' | 'method' | 'path' | 'body'>

/** The calls of one person; a name in place of options keeps the id. */
export function as(who: Person) {
  const call = (
    method: Exchange['method'],
    path: string,
    body?: unknown,
    options: string | Options = {},
  ) => ({
    who,
    method,
    path,
    ...(body === undefined ? {} : { body }),
    ...(typeof options === 'string' ? { keep: options } : options),
  })
  return {
    get: (path: string, options?: Options): Exchange => call('GET', path, undefined, options),
    post: (path: string, body?: unknown, options?: string | Options): Exchange =>
      call('POST', path, body, options),
    put: (path: string, body?: unknown, options?: string | Options): Exchange =>
      call('PUT', path, body, options),
    del: (path: string, options?: Options): Exchange => call('DELETE', path, undefined, options),
    any: (method: Exchange['method'], path: string, body?: unknown, options?: Options): Exchange =>
      call(method, path, body, options),
  }
}

export const admin = as('admin')
export const demo = as('demo')
export const alt = as('alt')
export const nobody = as('nobody')
