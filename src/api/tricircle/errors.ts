// The Tricircle API's errors: JSON for routings and jobs, pages negotiated by Accept for pods and bindings, and
// bare sentences where clients compare the start of the text (tricircleclient, for 409).

import type { AppError } from '../../core/error.ts'
import { type ErrorAnswer, type Problem, sentenceOf } from '../route.ts'
import { statusOf } from '../status.ts'

/** The shape of a route's errors. */
export const wording = {
  /** `{"itemNotFound": {"message", "code"}}` */
  json: 'json',
  /** An HTML page; 409 and 422 are bare sentences. */
  page: 'page',
  /** As `page`, and 404 is a bare sentence too. */
  pageOrText: 'pageOrText',
} as const

/** Describes an error, never with Retry-After: tricircleclient breaks down on that header. */
export function describeError(problem: Problem): ErrorAnswer {
  const { error, route } = problem
  const status = statusOf(error)
  if (route?.errors === wording.json) return json(status, error, sentenceOf(problem))
  return pageOrText(status, problem)
}

const jsonKeys: Readonly<Record<number, string>> = {
  400: 'badRequest',
  403: 'forbidden',
  404: 'itemNotFound',
  409: 'conflictingRequest',
  500: 'internalServerError',
}

function json(status: number, error: AppError, message: string): ErrorAnswer {
  const { rule, needs } = error.detail
  const policy = rule === undefined ? {} : { policy: { rule, needs } }
  const body = { [jsonKeys[status] ?? 'Error']: { message, code: status, ...policy } }
  return { status, contentType: 'application/json', body: JSON.stringify(body) }
}

function pageOrText(status: number, problem: Problem): ErrorAnswer {
  const { error, route, accept, method } = problem
  const sentence = sentenceOf(problem)
  if (route) {
    // A body that cannot be read is a 400; one that breaks a rule of pods or bindings is a 422.
    if (status === 400 && !error.detail.malformed && method !== 'GET') return text(422, sentence)
    if (status === 409) return text(409, sentence)
    if (status === 404 && route.errors === wording.pageOrText) return text(404, sentence)
    // Pods and bindings answer 401 where routings and jobs answer 403.
    if (status === 403) return page(401, sentence, accept, method)
  }
  return page(status, sentence, accept, method)
}

/** A bare sentence under the type that the original sends it with. */
const text = (status: number, sentence: string): ErrorAnswer => ({
  status,
  contentType: 'text/html; charset=UTF-8',
  body: escapeHtml(sentence),
})

const titles: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  404: 'Not Found',
  405: 'Method Not Allowed',
  406: 'Not Acceptable',
  408: 'Request Timeout',
  413: 'Request Entity Too Large',
  429: 'Too Many Requests',
  431: 'Request Header Fields Too Large',
  500: 'Internal Server Error',
  502: 'Bad Gateway',
  503: 'Service Unavailable',
}

const explanations: Readonly<Record<number, string>> = {
  400: 'The server could not comply with the request since it is either malformed or otherwise incorrect.',
  401:
    'This server could not verify that you are authorized to access the document you requested. Either you ' +
    'supplied the wrong credentials (e.g., bad password), or your browser does not understand how to supply ' +
    'the credentials required.',
  404: 'The resource could not be found.',
  408: 'The server has waited too long for the request to be sent by the client.',
  413: 'The body of your request was too large for this server.',
  429: 'There have been too many requests in a short time. Please try again a little later.',
  431: 'The headers of your request were too large for this server.',
  500: 'The server has either erred or is incapable of performing the requested operation.',
  502: 'Bad gateway.',
  503: 'The server is currently unavailable. Please try again at a later time.',
}

/** An HTML page, a JSON object or plain text, by what the client accepts; HTML where it takes both. */
function page(status: number, detail: string, accept: string | undefined, method: string): ErrorAnswer {
  const title = titles[status] ?? 'Error'
  const heading = `${status} ${title}`
  if (status === 405) {
    return oneSentence(405, `The method ${method} is not allowed for this resource. `, accept)
  }
  // The sentence lacks its closing parenthesis, as in the original.
  if (status === 406) {
    const sentence = 'The resource could not be generated that was acceptable to your browser'
    return oneSentence(406, `${sentence} (content of type ${accept}. `, accept)
  }
  const explanation = explanations[status] ?? ''
  switch (preferred(accept, ['text/html', 'application/json'])) {
    case 'text/html':
      return html(status, heading, `${explanation}<br /><br />\n${escapeHtml(detail)}\n\n`)
    case 'application/json':
      return jsonPage(status, title, detail || explanation)
    default:
      return plain(status, `${heading}\n\n${explanation}\n\n ${detail}  `)
  }
}

/** A page that has the sentence in the place of the explanation, and nothing after it. */
function oneSentence(status: number, sentence: string, accept: string | undefined): ErrorAnswer {
  const title = titles[status]!
  const heading = `${status} ${title}`
  switch (preferred(accept, ['text/html', 'application/json'])) {
    case 'text/html':
      return html(status, heading, `${escapeHtml(sentence)}<br /><br />\n`)
    case 'application/json':
      return jsonPage(status, title, sentence.trim())
    default:
      return plain(status, `${heading}\n\n${sentence}\n\n `)
  }
}

const html = (status: number, heading: string, content: string): ErrorAnswer => ({
  status,
  contentType: 'text/html; charset=UTF-8',
  body: `<html>\n <head>\n  <title>${heading}</title>\n </head>\n <body>\n  <h1>${heading}</h1>\n  ${content}\n </body>\n</html>`,
})

const jsonPage = (status: number, title: string, description: string): ErrorAnswer => ({
  status,
  contentType: 'application/json',
  body: JSON.stringify({ code: status, title, description }),
})

const plain = (status: number, body: string): ErrorAnswer => ({
  status,
  contentType: 'text/plain; charset=UTF-8',
  body,
})

const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }
const escapeHtml = (sentence: string): string =>
  sentence.replaceAll(/[&<>"]/g, character => entities[character]!)

/**
 * The media type that an Accept header likes best, the earlier one where it likes two the same; null when it
 * accepts none of them. Without a header the original answers in plain text, so null as well.
 */
export function preferred(accept: string | undefined, offers: readonly string[]): string | null {
  const rated = offers.map(offer => ({ offer, quality: quality(accept ?? '', offer) }))
  const best = rated.reduce((winner, next) => (next.quality > winner.quality ? next : winner))
  return best.quality > 0 ? best.offer : null
}

/** The weight that the most exact range of an Accept header gives to a media type. */
function quality(accept: string, offer: string): number {
  const [type] = offer.split('/')
  let best = { exactness: 0, weight: 0 }
  for (const part of accept.split(',')) {
    const [range = '', ...parameters] = part.split(';').map(piece => piece.trim().toLowerCase())
    const exactness = range === offer ? 3 : range === `${type}/*` ? 2 : range === '*/*' ? 1 : 0
    if (exactness <= best.exactness) continue
    const weight = Number(parameters.find(parameter => parameter.startsWith('q='))?.slice(2) ?? 1)
    best = { exactness, weight: Number.isFinite(weight) ? weight : 0 }
  }
  return best.weight
}
