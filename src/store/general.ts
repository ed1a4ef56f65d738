// The parts of a region's general capacity, in PostgreSQL.

import { sql } from 'kysely'
import type { ClassAmounts, GeneralWriter } from '../core/ledger/general-host.ts'
import { forever } from '../core/ledger/ledger.ts'
import { type Db, run } from './database.ts'

export function generalWriter(db: Db): GeneralWriter {
  return {
    async hosts(regionId) {
      const { rows } = await run(
        sql<{ hypervisorHostname: string; amounts: ClassAmounts }>`
          select hypervisor_hostname as "hypervisorHostname", amounts from general_host
          where region_id = ${regionId} order by hypervisor_hostname`.execute(db),
      )
      return rows
    },
    async put(regionId, hosts) {
      await run(
        sql`with gone as (
              delete from general_host where region_id = ${regionId}
                and hypervisor_hostname <> all (${hosts.map(one => one.hypervisorHostname)}::text[]))
            insert into general_host (region_id, hypervisor_hostname, amounts)
            select ${regionId}::uuid, hypervisor_hostname, amounts
            from unnest(${hosts.map(one => one.hypervisorHostname)}::text[],
                        ${hosts.map(one => JSON.stringify(one.amounts))}::jsonb[])
                 as given (hypervisor_hostname, amounts)
            on conflict (region_id, hypervisor_hostname) do update set amounts = excluded.amounts`.execute(
          db,
        ),
      )
    },
    async take(regionId, hypervisorHostname) {
      const { rows } = await run(
        sql<{ amounts: ClassAmounts }>`
          delete from general_host where region_id = ${regionId} and hypervisor_hostname = ${hypervisorHostname}
          returning amounts`.execute(db),
      )
      return rows[0]?.amounts ?? null
    },
    async others(scope) {
      const { rows } = await run(
        sql<{ consumer: string; amounts: ClassAmounts }>`
          select consumer, jsonb_object_agg(class, amount) as amounts from usage
          where account_id = ${scope} and to_at = ${forever} and consumer like 'others %'
          group by consumer`.execute(db),
      )
      return rows[0] ?? null
    },
  }
}
