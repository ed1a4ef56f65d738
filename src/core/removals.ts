// All that Atoll removes by itself, without a call that waits for it: by what proof, and what happens when the proof is a
// lie. docs/removals.md shows it.

export interface Removal {
  /** What is removed in a region, or ends in the model. */
  readonly what: string
  /** What must have happened before: never age, and never absence alone. */
  readonly by: 'a verb' | 'its time' | 'absence, checked'
  /** How it is known. */
  readonly proof: string
  readonly whenTheProofIsALie: string
  /** Files that do it. */
  readonly where: readonly string[]
}

/** Of Nova, Placement and providers. */
export const computeRemovals: readonly Removal[] = [
  {
    what: 'Flavors of reservations, their places (inventories of a class of their own) and the class',
    by: 'its time',
    proof:
      'The lease has come to its end, or was deleted; a survey finds the reservation among those that are over, or that ended a day ago at most.',
    whenTheProofIsALie:
      'A reservation that this Atoll does not know stays and is told: another Atoll may use the region, or the database was restored. An end that finds nothing of its reservation is done only where the region is believed, else it is tried again.',
    where: ['src/core/leases/run.ts', 'src/core/leases/reconcile.ts', 'src/openstack/placements.ts'],
  },
  {
    what: 'Servers of a lease',
    by: 'its time',
    proof:
      'As above, and the server is seen on a host of the lease with the reservation’s flavor (with BlazarFilter: in its project).',
    whenTheProofIsALie:
      'A server that is not seen is not removed; the lease waits while Placement says that a place is taken, and while the region is not believed.',
    where: ['src/core/leases/physical-host.ts'],
  },
  {
    what: 'Aggregates of reservations (BlazarFilter), and hosts in them',
    by: 'its time',
    proof: 'As above; no server of the project is seen on the hosts, which go back to the free pool first.',
    whenTheProofIsALie:
      'Where the aggregate does not show, the end is done only where the region is believed. A host is closed again by the next survey.',
    where: ['src/openstack/blazar-pools.ts', 'src/openstack/compute.ts'],
  },
  {
    what: 'A host’s place in the pool of closed hosts',
    by: 'a verb',
    proof: 'The host was removed from Atoll, or its enrolment failed.',
    whenTheProofIsALie: 'An enrolled host that is open is closed by the next survey.',
    where: ['src/core/hosts/enrolment.ts', 'src/openstack/isolation.ts'],
  },
  {
    what: 'Traits and child providers of hosts, allocations, server groups',
    by: 'a verb',
    proof: 'Atoll never removes them by itself; Nova removes allocations with their servers.',
    whenTheProofIsALie: 'Nothing can follow.',
    where: ['src/openstack/isolation.ts'],
  },
  {
    what: 'Hosts that a hypervisor list does not have: an enrolled one takes no new reservation, what everybody may use is less, and promises may be at risk',
    by: 'absence, checked',
    proof:
      'The service user has the role admin before and after the look, by one log-in; Nova and Placement both know a host at least; no more are missing than `regions.most_gone` lets.',
    whenTheProofIsALie:
      'Leases and promises stay as they are, and so does the host; what comes back is reservable, and counted, again with the next survey.',
    where: ['src/core/hosts/believed.ts', 'src/core/leases/reconcile.ts', 'src/core/capacity/general.ts'],
  },
  {
    what: 'Leases whose hosts are gone',
    by: 'a verb',
    proof: 'They never end by that: only by their time, or when they are deleted.',
    whenTheProofIsALie: 'Nothing can follow.',
    where: ['src/core/leases/run.ts'],
  },
  {
    what: 'Charges of instances whose server is gone at a provider',
    by: 'absence, checked',
    proof:
      'Its list does not have the server, and a question for its id is answered with 404; no more are missing than `regions.most_gone` lets, nor all of several; its region is believed.',
    whenTheProofIsALie:
      'The provider is suspect, and nothing ends. A server that shows again within a day is taken back: drawn on its reservation, or charged by itself, beyond what there is where there is no room.',
    where: ['src/core/capacity/watch-instances.ts', 'src/core/capacity/late-servers.ts'],
  },
  {
    what: 'Servers of promises',
    by: 'a verb',
    proof:
      'The instance was destroyed, or the call that was to make it failed and said so; the server is seen by its id, or by its mark where its id was never known, within a day.',
    whenTheProofIsALie:
      'A server whose instance ended because it was not seen is never removed, and none is while the provider is suspect.',
    where: ['src/core/capacity/instances.ts', 'src/core/capacity/late-servers.ts'],
  },
  {
    what: 'What was just being made when a backup was written',
    by: 'a verb',
    proof: 'Never: after a restore its intent has ended as not seen.',
    whenTheProofIsALie: 'What bears its mark stays in the region.',
    where: ['src/store/backup.ts'],
  },
]
