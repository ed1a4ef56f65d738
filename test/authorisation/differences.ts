// Why Atoll answers otherwise than a region's own Neutron: each line is a reason, and the questions that it explains.

import type { Difference } from './compare.ts'
import type { Persona } from './sides.ts'

export interface Reason {
  readonly why: string
  /** 21 (Zed) or 26 (2025.1); both where left out. */
  readonly release?: '21' | '26'
  readonly rules: RegExp
  readonly what?: RegExp
  readonly who?: readonly Persona[]
  /** Atoll's answer and the region's: `403 for 201`. */
  readonly answers: RegExp
  /** Set where Atoll gives what the newer release refuses. */
  readonly gives?: true
}

const write = /^(create|update|delete|add|remove)_/

export const reasons: readonly Reason[] = [
  // Who asks is looked at before anything is looked up.
  {
    why: 'who has none of the personas’ roles is a 403 everywhere; Neutron filters, or says that nothing is there',
    rules: /./,
    who: ['none'],
    answers: /^403 for (200|400|404|409|shown|hidden)$/,
  },
  {
    why: 'a reader’s write is a 403 before Atoll looks at what it is about',
    rules: write,
    who: ['reader'],
    answers: /^403 for (400|404|409)$/,
  },
  // The older defaults, which are not Atoll's.
  {
    why: 'the older defaults ask for no role: a reader, and who has no role that counts, writes',
    release: '21',
    rules: write,
    who: ['none', 'reader'],
    answers: /^403 for 20[014]$/,
  },
  {
    why: 'in the older release any project makes subnets on a network that is shared with it',
    release: '21',
    rules: /^create_subnet$/,
    what: /^on shared$/,
    who: ['member', 'manager'],
    answers: /^403 for 201$/,
  },
  {
    why: 'the older release hides the subnets of networks outside',
    release: '21',
    rules: /^(get_subnet|update_subnet)$/,
    what: /^outside$/,
    answers: /^(200|403) for 404$/,
  },
  {
    why: 'the older release hides the subnets of networks outside, so that none is refused for its owner',
    release: '21',
    rules: /^add_router_interface$/,
    what: /a subnet outside$/,
    answers: /^400 for 404$/,
  },
  {
    why: 'the older release hides from a network’s owner a subnet that an admin made on it for others',
    release: '21',
    rules: /_subnet$/,
    what: /^others on own$/,
    who: ['reader', 'member', 'manager'],
    answers: /^20[04] for 404$/,
  },
  {
    why: 'the older release has no managers, who may change a MAC and choose a floating IP’s address in the newer',
    release: '21',
    rules: /^(update_port:mac_address|create_floatingip:floating_ip_address)$/,
    who: ['manager'],
    answers: /^20[01] for 403$/,
  },
  // Where Atoll is narrower.
  {
    why: 'device owners network:* are an admin’s to give: the model knows a router’s interfaces by them',
    rules: /^(create|update)_port:device_owner$/,
    answers: /^403 for 20[01]$/,
  },
  {
    why: 'a port becomes a router’s interface by its own project only, not by its network’s',
    rules: /^add_router_interface$/,
    what: /^owners, a port of mine on shared$/,
    who: ['owner'],
    answers: /^403 for 200$/,
  },
  {
    why: 'a rule in a group of others is a 404: another’s and none are the same',
    release: '26',
    rules: /^create_security_group_rule$/,
    answers: /^404 for 403$/,
  },
  {
    why: 'the list of agents is an admin’s; Neutron answers others with an empty one',
    rules: /^get_agent$/,
    answers: /^403 for 200$/,
  },
  {
    why: 'quotas of another project are an admin’s; Neutron shows a manager those of all projects',
    release: '26',
    rules: /^get_quota$/,
    what: /^others$/,
    who: ['manager'],
    answers: /^403 for 200$/,
  },
  // What Atoll does not offer.
  {
    why: 'only the default is offered, and any other value is a 400 to everybody',
    rules: /^(create|update)_(network:is_default|subnet:segment_id|subnet:service_types)$/,
    answers: /^400 for /,
  },
  {
    why: 'a network’s segment, and whether it is outside, stay as they were made',
    rules: /^update_network:(provider:|router:external)/,
    who: ['admin'],
    answers: /^400 for 200$/,
  },
  // Where Atoll gives more.
  {
    why: 'Atoll’s own user has the role service beside admin, and gives what its admins give',
    release: '26',
    rules: /^(create|update)_port:binding:profile$/,
    who: ['admin'],
    answers: /^20[01] for 403$/,
    gives: true,
  },
  {
    why: 'members see the region in a port’s profile, and nothing else of it',
    rules: /^get_port:binding:profile$/,
    answers: /^shown for hidden$/,
    gives: true,
  },
  {
    why: 'an empty host is what every new port has, and so is not chosen',
    rules: /^create_port:binding:host_id$/,
    answers: /^201 for 403$/,
    gives: true,
  },
  {
    why: 'a port is its project’s to change even where it does not see the network any more; Neutron looks that up as the caller',
    rules: /^update_port$/,
    what: /^mine on foreign$/,
    who: ['member', 'manager'],
    answers: /^200 for 404$/,
    gives: true,
  },
]

export const explains = (reason: Reason, one: Difference): boolean =>
  (reason.release ?? one.release) === one.release &&
  reason.rules.test(one.rule) &&
  (reason.what?.test(one.what) ?? true) &&
  (reason.who?.includes(one.persona) ?? true) &&
  reason.answers.test(one.answers)
