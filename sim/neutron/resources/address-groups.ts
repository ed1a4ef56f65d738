// Address groups: lists of CIDRs that rules of security groups name.

import { represented } from '../../python.ts'
import { type Resource, time, view } from '../api/resource.ts'
import { addressGroupNotFound, internalError, refusal } from '../errors.ts'
import { readCidr, writeCidr } from '../model/addresses.ts'
import { type Attributes, owner } from '../model/attributes.ts'
import { isDictionary, orEmpty, text } from '../model/kinds.ts'
import { cidrs } from '../model/network-kinds.ts'
import type { Caller } from '../model/rules.ts'
import { type Region, standard, touch } from '../region.ts'
import type { AddressGroup } from '../rows.ts'

const attributes: Attributes = {
  id: { filter: true, sort: true },
  name: { kind: text(), set: 'always', default: '', filter: true, sort: true },
  description: { kind: text(1024), set: 'always', default: '', filter: true, sort: true },
  ...owner,
  addresses: { kind: orEmpty(cidrs), set: 'create', default: undefined },
}

export const addressGroups: Resource<AddressGroup> = {
  name: 'address_group',
  path: 'address-groups',
  attributes,
  table: region => region.addressGroups,
  missing: addressGroupNotFound,
  seenBy: 'owner',
  createdBy: 'owner',
  changedBy: 'owner',
  removedBy: 'owner',
  isStandard: true,
  isFilterChecked: true,
  create: (fields, region) => {
    const group = { ...standard(region, fields, 0), name: String(fields.name), addresses: [] }
    region.addressGroups.add(group)
    if (fields.addresses !== undefined) add(group, fields.addresses as string[], region)
    return group
  },
  update: (group, fields, region) => {
    Object.assign(group, fields)
    touch(region, group)
  },
  remove: (group, region) => {
    if (region.rules.countBy('remote_address_group_id', group.id) > 0) {
      const message = `Address group ${group.id} is in use on one or more security group rules.`
      throw refusal(409, 'AddressGroupInUse', message)
    }
    region.addressGroups.remove(group)
  },
  actions: {
    add_addresses: (group, body, region, caller) => {
      add(group, asked(body), region)
      return viewWhole(group, region, caller)
    },
    remove_addresses: (group, body, region, caller) => {
      const leaving = asked(body).map(plain)
      const unknown = leaving.filter(address => !group.addresses.includes(address))
      if (unknown.length > 0) {
        const message = `Addresses ${represented(unknown)} not found in the address group ${group.id}.`
        throw refusal(404, 'AddressesNotFound', message)
      }
      group.addresses = group.addresses.filter(address => !leaving.includes(address))
      for (const _ of leaving) touch(region, group)
      return viewWhole(group, region, caller)
    },
  },
}

function asked(body: unknown): unknown[] {
  if (!isDictionary(body) || !Array.isArray(body.addresses)) throw internalError()
  return body.addresses
}

function plain(address: unknown): string {
  const cidr = readCidr(address)
  if (cidr === null) throw refusal(400, 'AddrFormatError', `invalid IPNetwork ${String(address)}`)
  return writeCidr(cidr)
}

function add(group: AddressGroup, addresses: readonly unknown[], region: Region): void {
  const coming = [...new Set(addresses.map(plain))]
  const known = coming.filter(address => group.addresses.includes(address))
  if (known.length > 0) {
    const message = `Addresses ${represented(known)} already exist in the address group ${group.id}.`
    throw refusal(400, 'AddressesAlreadyExist', message)
  }
  group.addresses = [...group.addresses, ...coming]
  for (const _ of coming) touch(region, group)
}

/** The view of an address group after an action, which has more fields than a GET's. */
function viewWhole(group: AddressGroup, region: Region, caller: Caller): unknown {
  const { revision_number, created_at, updated_at } = group
  const times = { created_at: time(created_at), updated_at: time(updated_at) }
  const shown = view(addressGroups, group, region, caller)
  return { address_group: { ...shown, shared: false, revision_number, ...times } }
}
