// The OpenAPI 3.1 document of the native API, made of its route table.

import { type Route, route } from '../route.ts'
import type { Parameters } from './query.ts'

const parseNothing = () => undefined

interface Operation {
  readonly operationId: string
  readonly parameters: readonly object[]
  readonly requestBody?: object
  readonly responses: object
}

function viewRoute(
  { path, parts, rule, alsoAnswers }: Route,
  query: Parameters,
  body: object | undefined,
): Operation {
  const names = [...path.matchAll(/:(\w+)/g)].map(match => match[1]!)
  return {
    operationId: parts.verb,
    parameters: [
      ...names.map(name => ({ name, in: 'path', required: true, schema: { type: 'string' } })),
      ...Object.entries(query).map(([name, parameter]) => ({ name, in: 'query', ...parameter })),
    ],
    ...(body ? { requestBody: { content: { 'application/json': { schema: body } } } } : {}),
    responses: {
      200: { description: `Allowed by the rule ${rule}`, content: contentOf(alsoAnswers) },
      default: {
        description: 'What went wrong',
        content: { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } },
      },
    },
  }
}

const contentOf = (alsoAnswers: string | undefined) => ({
  'application/json': { schema: {} },
  ...(alsoAnswers ? { [alsoAnswers]: { schema: { type: 'string' } } } : {}),
})

const errorSchema = {
  type: 'object',
  required: ['error'],
  properties: {
    error: {
      type: 'object',
      required: ['code', 'message'],
      properties: { code: { type: 'string' }, message: { type: 'string' } },
    },
  },
}

/** The query parameters and bodies of routes, by path. */
interface Taken {
  readonly queries: Readonly<Record<string, Parameters>>
  /** As JSON Schema. */
  readonly bodies: Readonly<Record<string, object>>
}

/** `GET /openapi.json` for these routes, and with these schemas beside its own. */
export function openApiRoute(
  routes: readonly Route[],
  { queries, bodies }: Taken,
  schemas: Readonly<Record<string, object>>,
): Route {
  const paths: Record<string, Record<string, Operation>> = {}
  for (const described of routes) {
    const path = `/atoll/v1${described.path.replaceAll(/:(\w+)/g, '{$1}')}`
    paths[path] = {
      ...paths[path],
      [described.method.toLowerCase()]: viewRoute(
        described,
        queries[described.path] ?? {},
        bodies[described.path],
      ),
    }
  }
  const viewDocument = () => ({
    openapi: '3.1.0',
    info: { title: 'Atoll', version: '1' },
    security: [{ token: [] }],
    paths,
    components: {
      schemas: { ...schemas, Error: errorSchema },
      securitySchemes: { token: { type: 'apiKey', in: 'header', name: 'X-Auth-Token' } },
    },
  })
  return route({
    method: 'GET',
    path: '/openapi.json',
    rule: 'atoll:openapi',
    denied: 'Only who has a token reads the document',
    parse: parseNothing,
    verb: null,
    view: viewDocument,
  })
}
