// All removals that Atoll makes by itself, without a call that waits for them: by what proof, and what
// happens when the proof is a lie. docs/removals.md shows them.

export interface Removal {
  /** The things that are removed in a region, or end in the model. */
  readonly what: string
  /** The event that must have happened before: never age, and never absence alone. */
  readonly by: 'a verb' | 'its time' | 'absence, checked'
  /** The proof that it has happened. */
  readonly proof: string
  readonly whenTheProofIsALie: string
  /** The files that remove the things. */
  readonly where: readonly string[]
}

/** Removals in Nova, Placement and providers. */
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
      'Its list does not have the server, and a question for its id is answered with 404; no more are missing than `regions.most_gone` lets; where none of several is there, its Nova still shows flavors; its region is believed.',
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

/** Removals in Neutron, and of what the model knows of it. */
export const networkRemovals: readonly Removal[] = [
  {
    what: 'Networks, subnets, ports, routers, groups, address groups and floating IPs in a region that a late call made, or that a verb removed and a late call made again (tidying)',
    by: 'a verb',
    proof:
      'The thing bears the mark of an intent that a verb ended, or whose caller never got an answer; or the mark of a living intent whose own thing is seen beside it in the same list.',
    whenTheProofIsALie:
      'An intent that ended by absence makes nothing surplus, nor does a mark that the model does not know. While the region is suspect nothing is removed.',
    where: ['src/core/network/watch/tidy.ts', 'src/core/network/copies/realise.ts'],
  },
  {
    what: 'Networks, subnets, routers and floating IPs of one region, and ports, that leave the model because the region does not show them (sweep)',
    by: 'absence, checked',
    proof:
      'Neither a list nor a question for the id shows them; the service user has the role admin before and after the look, by one log-in, and is shown a default group of another project; no more are missing than `regions.most_gone` lets, or an administrator has confirmed the counts.',
    whenTheProofIsALie:
      'Nothing is removed in the region. What it shows again within a day, by its id or its mark, is taken in as it was; its addresses and MAC are kept until then.',
    where: [
      'src/core/network/watch/sweep.ts',
      'src/core/network/watch/take-in.ts',
      'src/core/network/copies/gone.ts',
    ],
  },
  {
    what: 'Ports from the model when Nova says that their server is deleted',
    by: 'a verb',
    proof:
      'Nova lists the server as DELETED, Neutron does not show the port, and no intent of Atoll’s made it.',
    whenTheProofIsALie: 'Nothing is removed in the region; a port that shows again is adopted again.',
    where: ['src/core/network/watch/watch-servers.ts'],
  },
  {
    what: 'Places of copies (networks, subnets, groups, address groups) that a region does not show when they are needed',
    by: 'absence, checked',
    proof: 'As for the sweep; and only where a copy is to be made or changed in this moment.',
    whenTheProofIsALie:
      'The job fails with a sentence, and is tried again; nothing is made twice. A copy that shows again is known by its mark.',
    where: [
      'src/core/network/copies/gone.ts',
      'src/core/network/copies/realise.ts',
      'src/core/network/groups/project-in-region.ts',
    ],
  },
  {
    what: 'Legs, mirrors, mirror ports, bridges and copies of a spanning router that its plan does not have any more',
    by: 'a verb',
    proof:
      'The model has been changed by a verb (an interface, a gateway or a floating IP was removed), and the thing is seen in the region by the id of its intent, or as a leg of the router.',
    whenTheProofIsALie:
      'The plan is made of the model alone: what a region does not show changes no plan, and is removed nowhere.',
    where: ['src/core/network/convergence/router-steps.ts', 'src/core/network/convergence/converge.ts'],
  },
  {
    what: 'Rules of Atoll’s in copies of groups, and address groups that no rule names any more',
    by: 'a verb',
    proof: 'The model does not have the rule any more, and the rule seen bears the mark of its group.',
    whenTheProofIsALie:
      'A port that is absent stays a member of its groups until it is forgotten, so that no rule and no address goes for it elsewhere.',
    where: ['src/core/network/groups/project-in-region.ts', 'src/core/network/groups/members-elsewhere.ts'],
  },
  {
    what: 'What was kept for a thing that is absent: its row, addresses and MAC',
    by: 'its time',
    proof: 'A day has passed since it left the model.',
    whenTheProofIsALie:
      'The thing stays in its region: its mark is then one that nobody knows. Ports of it on networks of ours are adopted.',
    where: ['src/core/network/watch/tidy.ts', 'src/store/absences.ts'],
  },
  {
    what: 'Numbers of the fabric that were closed because a region showed a network of its own on them: they are open for new networks again',
    by: 'absence, checked',
    proof:
      'The region’s list of networks on the fabric does not have it; the service user has the role admin before and after the look, by one log-in, and is shown a default group of another project; the region is not suspect.',
    whenTheProofIsALie:
      'Nothing is removed in the region. What it shows again closes its number again, and a network that has taken the number meanwhile is a clash that `atoll doctor` tells of. The number of a network that left the model stays closed as long as that may come back.',
    where: ['src/core/network/watch/look-at-segments.ts', 'src/store/segments.ts'],
  },
]
