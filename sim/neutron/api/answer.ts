// A request to Neutron's API, and its answer.

export interface Asked {
  method: string
  /** The parts of the path after those by which the handler was chosen. */
  path: readonly string[]
  /** The whole request's path, without its query. */
  url: string
  query: URLSearchParams
  body: unknown
  ifMatch: string | undefined
  /** True when a fault makes the pages of lists never end. */
  isEndless: boolean
}

export interface Answer {
  status: number
  /** The body, which is HTML if it is a text. */
  body?: unknown
}

/** The page of HTML for a path outside of the API. */
export function nothingHere(detail = ''): string {
  const lines = ['<html>', ' <head>', '  <title>404 Not Found</title>', ' </head>', ' <body>']
  const said = ['  <h1>404 Not Found</h1>', '  The resource could not be found.<br /><br />', detail, '', '']
  return [...lines, ...said, ' </body>', '</html>'].join('\n')
}
