// What is asked of the API, and what it answers.

export interface Asked {
  method: string
  /** The parts of the path after what already chose who answers. */
  path: readonly string[]
  /** Of the whole request, without its query. */
  url: string
  query: URLSearchParams
  body: unknown
  ifMatch: string | undefined
  /** Pages of lists shall never end. */
  isEndless: boolean
}

export interface Answer {
  status: number
  /** HTML if it is a text. */
  body?: unknown
}

/** What is said outside of the API, in HTML. */
export function nothingHere(detail = ''): string {
  const lines = ['<html>', ' <head>', '  <title>404 Not Found</title>', ' </head>', ' <body>']
  const said = ['  <h1>404 Not Found</h1>', '  The resource could not be found.<br /><br />', detail, '', '']
  return [...lines, ...said, ' </body>', '</html>'].join('\n')
}
