// Fastify and pg with nothing around them: the same statements and the same mapping as Atoll's routings, and no more.

import Fastify from 'fastify'
import pg from 'pg'

interface Row {
  id: number
  central_id: string
  regional_id: string | null
  region_id: string
  project_id: string
  resource_type: string
  created_at: Date
  updated_at: Date | null
}

const timeOf = (at: Date): string => at.toISOString().slice(0, 19).replace('T', ' ')

const view = (row: Row) => ({
  id: row.id,
  top_id: row.central_id,
  bottom_id: row.regional_id,
  pod_id: row.region_id,
  project_id: row.project_id,
  resource_type: row.resource_type,
  created_at: timeOf(row.created_at),
  updated_at: row.updated_at && timeOf(row.updated_at),
})

/** The texts come from Atoll's own store, so that they are the same to the letter. */
const { DATABASE_URL, LIST_SQL = '', CREATE_SQL = '', PROJECT_ID } = process.env
pg.types.setTypeParser(pg.types.builtins.INT8, Number)
const pool = new pg.Pool({ connectionString: DATABASE_URL, max: 20 })
const server = Fastify()

server.get<{ Querystring: { limit: string } }>('/routings', async ({ query }) => {
  const limit = Number(query.limit)
  const { rows } = await pool.query<Row>({ name: 'list', text: LIST_SQL, values: [PROJECT_ID, limit + 1] })
  const href = `/v1.0/routings?limit=${limit}&marker=${rows[limit - 1]?.id}`
  const links = rows.length > limit ? { routings_links: [{ rel: 'next', href }] } : {}
  return { routings: rows.slice(0, limit).map(view), ...links }
})

interface Body {
  routing: { top_id: string; bottom_id: string; pod_id: string; project_id: string; resource_type: string }
}

server.post<{ Body: Body }>('/routings', async request => {
  const { top_id, bottom_id, pod_id, project_id, resource_type } = request.body.routing
  const now = new Date()
  const row = [[top_id], [bottom_id], [pod_id], [project_id], [resource_type]]
  const note = [now, request.id, 'user', 'project', 'routing.create']
  const { rows } = await pool.query<Row>({ name: 'create', text: CREATE_SQL, values: [now, ...row, ...note] })
  return { routing: view(rows[0]!) }
})

console.log(JSON.stringify({ url: await server.listen({ host: '127.0.0.1', port: 0 }) }))
