// Questions of the topology overview in PostgreSQL: each is one statement, whatever the number of networks.

import { sql } from 'kysely'
import type { HolderInSubnet, PortCount, Sight } from '../core/network/model/network-store.ts'
import { type Db, run } from './database.ts'
import { seen } from './network-conditions.ts'

/** Holdings are looked up by holder, because a subnet may have any number of ports. */
export async function addressesHeldBy(
  db: Db,
  asked: readonly HolderInSubnet[],
): Promise<(HolderInSubnet & { start: string })[]> {
  const { rows } = await run(
    sql<HolderInSubnet & { start: string }>`
      select holder, subnet_id as "subnetId", host(lower(range)) as start
      from unnest(${asked.map(one => one.holder)}::text[], ${asked.map(one => one.subnetId)}::text[])
           as asked (holder, subnet_id) join held_range using (holder, subnet_id)
      where purpose in ('gateway', 'leg')`.execute(db),
  )
  return rows
}

export async function portCounts(db: Db, sight: Sight, networkIds: readonly string[]): Promise<PortCount[]> {
  const { rows } = await run(
    sql<PortCount>`
      select port.network_id as "networkId", region.name as region, count(*) as count
      from port
      left join routing on routing.central_id = port.id and routing.resource_type = 'port'
                           and routing.regional_id is not null
      left join region on region.id = routing.region_id
      where port.network_id = any (${networkIds}::text[]) and ${seen('port', sight)}
      group by port.network_id, region.name`.execute(db),
  )
  return rows
}
