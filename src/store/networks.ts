// The central model of networks and subnets in PostgreSQL.

import type { HostRoute, NetworkStore } from '../core/network/network.ts'
import { type Db, run } from './database.ts'
import type { NetworkTable, SubnetTable } from './tables.ts'

export function networkStore(db: Db): NetworkStore {
  return {
    async network(id) {
      const row = await run(db.selectFrom('network').selectAll().where('id', '=', id).executeTakeFirst())
      if (!row) return null
      const { project_id: projectId, admin_state_up: adminStateUp, ...rest } = row
      return { ...rest, projectId, adminStateUp }
    },

    async subnet(id) {
      const row = await run(db.selectFrom('subnet').selectAll().where('id', '=', id).executeTakeFirst())
      if (!row) return null
      return {
        id: row.id,
        projectId: row.project_id,
        networkId: row.network_id,
        description: row.description,
        enableDhcp: row.enable_dhcp,
        hostRoutes: row.host_routes as HostRoute[],
        dnsNameservers: row.dns_nameservers,
      }
    },

    async saveNetwork({ id, projectId, description, adminStateUp, shared }) {
      const row: NetworkTable = {
        id,
        project_id: projectId,
        description,
        admin_state_up: adminStateUp,
        shared,
      }
      await run(
        db
          .insertInto('network')
          .values(row)
          .onConflict(on => on.column('id').doUpdateSet(row))
          .execute(),
      )
    },

    async saveSubnet(subnet) {
      const row: SubnetTable = {
        id: subnet.id,
        project_id: subnet.projectId,
        network_id: subnet.networkId,
        description: subnet.description,
        enable_dhcp: subnet.enableDhcp,
        host_routes: JSON.stringify(subnet.hostRoutes),
        dns_nameservers: [...subnet.dnsNameservers],
      }
      await run(
        db
          .insertInto('subnet')
          .values(row)
          .onConflict(on => on.column('id').doUpdateSet(row))
          .execute(),
      )
    },
  }
}
