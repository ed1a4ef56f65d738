// The policy as seen from outside: for every route the status that each kind of caller gets. policy.test.ts holds
// the server to it, and the table to the routes.

import { policyLines } from './central.ts'
import { promiseLines } from './promised.ts'

/**
 * A line a route. The last four callers are the strangers whom Keystone does not vouch for; all others have a valid
 * token, the admin's in the project admin, `unscoped`, `domain` and `system` of the same user with another scope or
 * none. What the path names is of a project that none of them is in, so 404 may mean that it is another's.
 */
export const policyTable = `
                                                        admin  manager  member  reader  service  unscoped  domain  system  none  expired  revoked  deleted
GET    /                                                  200      200     200     200      200       200     200     200   401      401      401      401
GET    /v1.0                                              200      200     200     200      200       200     200     200   401      401      401      401
GET    /v1.0/pods                                         200      401     401     401      401       401     401     401   401      401      401      401
GET    /v1.0/pods/:id                                     200      401     401     401      401       401     401     401   401      401      401      401
POST   /v1.0/pods                                         200      401     401     401      401       401     401     401   401      401      401      401
DELETE /v1.0/pods/:id                                     200      401     401     401      401       401     401     401   401      401      401      401
GET    /v1.0/bindings                                     200      401     401     401      401       401     401     401   401      401      401      401
GET    /v1.0/bindings/:id                                 200      401     401     401      401       401     401     401   401      401      401      401
POST   /v1.0/bindings                                     200      401     401     401      401       401     401     401   401      401      401      401
DELETE /v1.0/bindings/:id                                 200      401     401     401      401       401     401     401   401      401      401      401
GET    /v1.0/routings                                     200      403     403     403      403       403     403     403   401      401      401      401
GET    /v1.0/routings/:id                                 200      403     403     403      403       403     403     403   401      401      401      401
POST   /v1.0/routings                                     200      403     403     403      403       403     403     403   401      401      401      401
PUT    /v1.0/routings/:id                                 200      403     403     403      403       403     403     403   401      401      401      401
DELETE /v1.0/routings/:id                                 200      403     403     403      403       403     403     403   401      401      401      401
GET    /v1.0/jobs                                         200      403     403     403      403       403     403     403   401      401      401      401
GET    /v1.0/jobs/detail                                  200      403     403     403      403       403     403     403   401      401      401      401
GET    /v1.0/jobs/schemas                                 200      403     403     403      403       403     403     403   401      401      401      401
GET    /v1.0/jobs/:id                                     200      403     403     403      403       403     403     403   401      401      401      401
POST   /v1.0/jobs                                         202      403     403     403      403       403     403     403   401      401      401      401
PUT    /v1.0/jobs/:id                                     200      403     403     403      403       403     403     403   401      401      401      401
DELETE /v1.0/jobs/:id                                     200      403     403     403      403       403     403     403   401      401      401      401
GET    /v1.0/job                                          200      403     403     403      403       403     403     403   401      401      401      401
GET    /v1.0/job/detail                                   200      403     403     403      403       403     403     403   401      401      401      401
GET    /v1.0/job/schemas                                  200      403     403     403      403       403     403     403   401      401      401      401
GET    /v1.0/job/:id                                      200      403     403     403      403       403     403     403   401      401      401      401
POST   /v1.0/job                                          202      403     403     403      403       403     403     403   401      401      401      401
PUT    /v1.0/job/:id                                      200      403     403     403      403       403     403     403   401      401      401      401
DELETE /v1.0/job/:id                                      200      403     403     403      403       403     403     403   401      401      401      401
GET    /tricircle                                         200      200     200     200      200       200     200     200   401      401      401      401
GET    /tricircle/v1.0                                    200      200     200     200      200       200     200     200   401      401      401      401
GET    /tricircle/v1.0/pods                               200      401     401     401      401       401     401     401   401      401      401      401
GET    /tricircle/v1.0/pods/:id                           200      401     401     401      401       401     401     401   401      401      401      401
POST   /tricircle/v1.0/pods                               200      401     401     401      401       401     401     401   401      401      401      401
DELETE /tricircle/v1.0/pods/:id                           200      401     401     401      401       401     401     401   401      401      401      401
GET    /tricircle/v1.0/bindings                           200      401     401     401      401       401     401     401   401      401      401      401
GET    /tricircle/v1.0/bindings/:id                       200      401     401     401      401       401     401     401   401      401      401      401
POST   /tricircle/v1.0/bindings                           200      401     401     401      401       401     401     401   401      401      401      401
DELETE /tricircle/v1.0/bindings/:id                       200      401     401     401      401       401     401     401   401      401      401      401
GET    /tricircle/v1.0/routings                           200      403     403     403      403       403     403     403   401      401      401      401
GET    /tricircle/v1.0/routings/:id                       200      403     403     403      403       403     403     403   401      401      401      401
POST   /tricircle/v1.0/routings                           200      403     403     403      403       403     403     403   401      401      401      401
PUT    /tricircle/v1.0/routings/:id                       200      403     403     403      403       403     403     403   401      401      401      401
DELETE /tricircle/v1.0/routings/:id                       200      403     403     403      403       403     403     403   401      401      401      401
GET    /tricircle/v1.0/jobs                               200      403     403     403      403       403     403     403   401      401      401      401
GET    /tricircle/v1.0/jobs/detail                        200      403     403     403      403       403     403     403   401      401      401      401
GET    /tricircle/v1.0/jobs/schemas                       200      403     403     403      403       403     403     403   401      401      401      401
GET    /tricircle/v1.0/jobs/:id                           200      403     403     403      403       403     403     403   401      401      401      401
POST   /tricircle/v1.0/jobs                               202      403     403     403      403       403     403     403   401      401      401      401
PUT    /tricircle/v1.0/jobs/:id                           200      403     403     403      403       403     403     403   401      401      401      401
DELETE /tricircle/v1.0/jobs/:id                           200      403     403     403      403       403     403     403   401      401      401      401
GET    /tricircle/v1.0/job                                200      403     403     403      403       403     403     403   401      401      401      401
GET    /tricircle/v1.0/job/detail                         200      403     403     403      403       403     403     403   401      401      401      401
GET    /tricircle/v1.0/job/schemas                        200      403     403     403      403       403     403     403   401      401      401      401
GET    /tricircle/v1.0/job/:id                            200      403     403     403      403       403     403     403   401      401      401      401
POST   /tricircle/v1.0/job                                202      403     403     403      403       403     403     403   401      401      401      401
PUT    /tricircle/v1.0/job/:id                            200      403     403     403      403       403     403     403   401      401      401      401
DELETE /tricircle/v1.0/job/:id                            200      403     403     403      403       403     403     403   401      401      401      401
GET    /atoll/v1/openapi.json                             200      200     200     200      200       200     200     200   401      401      401      401
GET    /atoll/v1/jobs/:id                                 200      404     404     404      403       403     403     403   401      401      401      401
GET    /atoll/v1/availability                             200      200     200     200      403       403     403     403   401      401      401      401
GET    /atoll/v1/slots                                    200      200     200     200      403       403     403     403   401      401      401      401
GET    /atoll/v1/topology                                 200      200     200     200      403       403     403     403   401      401      401      401
GET    /atoll/v1/events                                   200      200     200     200      403       403     403     403   401      401      401      401
GET    /atoll/v1/regions                                  200      403     403     403      403       403     403     403   401      401      401      401
POST   /atoll/v1/regions/:name/confirm                    200      403     403     403      403       403     403     403   401      401      401      401
GET    /reservation                                       300      300     300     300      300       300     300     300   300      300      300      300
GET    /reservation/versions                              300      300     300     300      300       300     300     300   300      300      300      300
GET    /v1/leases                                         200      200     200     200      403       403     403     403   401      401      401      401
POST   /v1/leases                                         202      202     202     403      403       403     403     403   401      401      401      401
GET    /v1/leases/:id                                     200      403     403     403      403       403     403     403   401      401      401      401
PUT    /v1/leases/:id                                     202      403     403     403      403       403     403     403   401      401      401      401
DELETE /v1/leases/:id                                     204      403     403     403      403       403     403     403   401      401      401      401
GET    /v1/leases/:id/hosts                               200      403     403     403      403       403     403     403   401      401      401      401
GET    /v1/os-hosts                                       200      403     403     403      403       403     403     403   401      401      401      401
POST   /v1/os-hosts                                       202      403     403     403      403       403     403     403   401      401      401      401
GET    /v1/os-hosts/:id                                   200      403     403     403      403       403     403     403   401      401      401      401
PUT    /v1/os-hosts/:id                                   202      403     403     403      403       403     403     403   401      401      401      401
DELETE /v1/os-hosts/:id                                   204      403     403     403      403       403     403     403   401      401      401      401
GET    /v1/os-hosts/allocations                           200      403     403     403      403       403     403     403   401      401      401      401
GET    /v1/os-hosts/:id/allocation                        200      403     403     403      403       403     403     403   401      401      401      401
GET    /v1/os-hosts/properties                            200      403     403     403      403       403     403     403   401      401      401      401
PATCH  /v1/os-hosts/properties/:name                      200      403     403     403      403       403     403     403   401      401      401      401
GET    /reservation/v1/leases                             200      200     200     200      403       403     403     403   401      401      401      401
POST   /reservation/v1/leases                             201      201     201     403      403       403     403     403   401      401      401      401
GET    /reservation/v1/leases/:id                         200      403     403     403      403       403     403     403   401      401      401      401
PUT    /reservation/v1/leases/:id                         200      403     403     403      403       403     403     403   401      401      401      401
DELETE /reservation/v1/leases/:id                         204      403     403     403      403       403     403     403   401      401      401      401
GET    /reservation/v1/leases/:id/hosts                   200      403     403     403      403       403     403     403   401      401      401      401
GET    /reservation/v1/os-hosts                           200      403     403     403      403       403     403     403   401      401      401      401
POST   /reservation/v1/os-hosts                           201      403     403     403      403       403     403     403   401      401      401      401
GET    /reservation/v1/os-hosts/:id                       200      403     403     403      403       403     403     403   401      401      401      401
PUT    /reservation/v1/os-hosts/:id                       200      403     403     403      403       403     403     403   401      401      401      401
DELETE /reservation/v1/os-hosts/:id                       204      403     403     403      403       403     403     403   401      401      401      401
GET    /reservation/v1/os-hosts/allocations               200      403     403     403      403       403     403     403   401      401      401      401
GET    /reservation/v1/os-hosts/:id/allocation            200      403     403     403      403       403     403     403   401      401      401      401
GET    /reservation/v1/os-hosts/properties                200      403     403     403      403       403     403     403   401      401      401      401
PATCH  /reservation/v1/os-hosts/properties/:name          200      403     403     403      403       403     403     403   401      401      401      401
GET    /reservation/:region/v1/leases                     200      200     200     200      403       403     403     403   401      401      401      401
POST   /reservation/:region/v1/leases                     201      201     201     403      403       403     403     403   401      401      401      401
GET    /reservation/:region/v1/leases/:id                 200      403     403     403      403       403     403     403   401      401      401      401
PUT    /reservation/:region/v1/leases/:id                 200      403     403     403      403       403     403     403   401      401      401      401
DELETE /reservation/:region/v1/leases/:id                 204      403     403     403      403       403     403     403   401      401      401      401
GET    /reservation/:region/v1/leases/:id/hosts           200      403     403     403      403       403     403     403   401      401      401      401
GET    /reservation/:region/v1/os-hosts                   200      403     403     403      403       403     403     403   401      401      401      401
POST   /reservation/:region/v1/os-hosts                   201      403     403     403      403       403     403     403   401      401      401      401
GET    /reservation/:region/v1/os-hosts/:id               200      403     403     403      403       403     403     403   401      401      401      401
PUT    /reservation/:region/v1/os-hosts/:id               200      403     403     403      403       403     403     403   401      401      401      401
DELETE /reservation/:region/v1/os-hosts/:id               204      403     403     403      403       403     403     403   401      401      401      401
GET    /reservation/:region/v1/os-hosts/allocations       200      403     403     403      403       403     403     403   401      401      401      401
GET    /reservation/:region/v1/os-hosts/:id/allocation    200      403     403     403      403       403     403     403   401      401      401      401
GET    /reservation/:region/v1/os-hosts/properties        200      403     403     403      403       403     403     403   401      401      401      401
PATCH  /reservation/:region/v1/os-hosts/properties/:name  200      403     403     403      403       403     403     403   401      401      401      401
GET    /network                                           200      200     200     200      200       200     200     200   200      200      200      200
${policyLines('/network/v2.0')}
${policyLines('/v2.0')}
${promiseLines}
`

export interface PolicyRow {
  /** `GET /v1.0/pods/:id` */
  readonly route: string
  /** By caller. */
  readonly statuses: Readonly<Record<string, number>>
}

/** The lines of a table; throws for one with a gap. */
export function readTable(table: string): PolicyRow[] {
  const [head = '', ...lines] = table.trim().split('\n')
  const columns = head.trim().split(/\s+/)
  return lines.map(line => {
    const [method, path, ...cells] = line.trim().split(/\s+/)
    if (cells.length !== columns.length) throw new Error(`a status is missing: ${line}`)
    const statuses = Object.fromEntries(columns.map((column, index) => [column, Number(cells[index])]))
    return { route: `${method} ${path}`, statuses }
  })
}
