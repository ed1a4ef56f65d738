// One long conversation with a Nova and a Placement, told to the simulated and to a real one; their answers are compared.

import { createTalk, gone, type Note, type Place, settled, type Talk } from './compute-conversation.ts'

const child = 'c0ffee00-1111-4222-8333-000000000001'
const nobody = 'c0ffee00-1111-4222-8333-00000000dead'
const consumer = 'c0ffee00-1111-4222-8333-000000000002'
const group = 'c0ffee00-1111-4222-8333-000000000003'

/** Speaks as an admin and as a member, makes things called `witness-*`, and removes them. */
export async function converse(place: Place): Promise<Note[]> {
  const talk = createTalk(place)
  await providers(talk)
  await names(talk)
  await inventories(talk)
  await allocations(talk)
  await candidates(talk)
  await hosts(talk)
  await aggregates(talk)
  await flavors(talk)
  await servers(talk)
  await refusals(talk)
  return talk.notes
}

async function rootOf({ placement }: Talk): Promise<string> {
  const { body } = await placement('GET', '/resource_providers?name=pod1-compute1', { note: 'nothing' })
  return body.resource_providers[0].uuid
}

/** As it is, without a note. */
async function generationOf({ placement }: Talk, id: string): Promise<number> {
  return (await placement('GET', `/resource_providers/${id}`, { note: 'nothing' })).body.generation
}

async function providers(talk: Talk): Promise<void> {
  const { placement } = talk
  const root = await rootOf(talk)
  for (const version of ['1.39', '1.13', '1.5', '1.0']) {
    const { body } = await placement('GET', '/resource_providers', { version, note: 'nothing' })
    const { generation: _generation, ...shown } = body.resource_providers[0]
    talk.notes.push({ call: `a provider at ${version}`, status: 200, body: Object.keys(shown).sort() })
  }
  const spec = { uuid: child, name: 'witness-child', parent_provider_uuid: root }
  const post = (body: object, version = '1.39') => placement('POST', '/resource_providers', { body, version })
  await post(spec)
  await post(spec)
  await post({ name: 'witness-child' })
  await post({ uuid: child, name: 'witness-other' })
  await post({ name: 1 })
  await post({})
  await post({ uuid: 'no-uuid', name: 'witness-other' })
  await placement('GET', `/resource_providers?in_tree=${child}&name=witness-child`)
  await placement('GET', `/resource_providers?uuid=${child}`, { version: '1.13' })
  await placement('GET', '/resource_providers?name=witness-nobody')
  await placement('GET', '/resource_providers?nonsense=1')
  await placement('GET', '/resource_providers?member_of=no-uuid')
  await placement('GET', '/resource_providers?required=CUSTOM_WITNESS_NONE')
  await placement('GET', '/resource_providers?resources=CUSTOM_WITNESS_NONE:1')
  await placement('GET', '/resource_providers?resources=VCPU:x')
  await placement('GET', '/resource_providers?resources=VCPU:0')
  await placement('GET', '/resource_providers?resources=')
  await placement('PUT', `/resource_providers/${child}`, { body: { name: 'witness-renamed' } })
  await placement('PUT', `/resource_providers/${child}`, { body: { name: 'pod1-compute1' } })
  await placement('PUT', `/resource_providers/${root}`, {
    body: { name: 'pod1-compute1', parent_provider_uuid: child },
  })
  await placement('PUT', `/resource_providers/${nobody}`, { body: { name: 'witness-nobody' } })
  await placement('GET', `/resource_providers/${nobody}`)
  await placement('DELETE', `/resource_providers/${nobody}`)
  await placement('DELETE', `/resource_providers/${root}`)
}

async function names(talk: Talk): Promise<void> {
  const { placement } = talk
  const path = `/resource_providers/${child}/traits`
  const generation = { resource_provider_generation: 0 }
  for (const name of ['CUSTOM_WITNESS', 'CUSTOM_WITNESS', 'witness', 'HW_WITNESS']) {
    await placement('PUT', `/traits/${name}`)
  }
  await placement('GET', '/traits/CUSTOM_WITNESS')
  await placement('GET', '/traits/CUSTOM_WITNESS_NONE')
  await placement('GET', '/traits?name=in:CUSTOM_WITNESS,CUSTOM_WITNESS_NONE,HW_CPU_X86_AVX')
  await placement('GET', '/traits?name=startswith:CUSTOM_WITNESS')
  await placement('GET', '/traits?associated=maybe')
  await placement('GET', path)
  await placement('PUT', path, { body: { ...generation, traits: ['CUSTOM_WITNESS_NONE'] } })
  await placement('PUT', path, { body: { ...generation, traits: ['CUSTOM_WITNESS', 'HW_CPU_X86_AVX'] } })
  await placement('PUT', path, { body: { ...generation, traits: [] } })
  await placement('PUT', path, { body: { traits: [] } })
  await placement('PUT', path, { body: { ...generation, traits: 'CUSTOM_WITNESS' } })
  await placement('GET', '/traits?associated=true&name=startswith:CUSTOM_WITNESS')
  await placement('DELETE', '/traits/CUSTOM_WITNESS')
  await placement('DELETE', '/traits/HW_CPU_X86_AVX')
  await placement('DELETE', '/traits/CUSTOM_WITNESS_NONE')
  await placement('GET', '/resource_providers?required=CUSTOM_WITNESS')
  await placement('GET', '/resource_providers?required=!CUSTOM_WITNESS&name=witness-renamed')
  await placement('GET', '/resource_providers?required=CUSTOM_WITNESS', { version: '1.17' })
  await placement('GET', '/resource_providers?required=!CUSTOM_WITNESS', { version: '1.20' })
  await placement('DELETE', path)
  await placement('DELETE', '/traits/CUSTOM_WITNESS')
  await placement('GET', '/traits', { version: '1.5' })

  const aggregatesPath = `/resource_providers/${child}/aggregates`
  await placement('GET', aggregatesPath)
  await placement('PUT', aggregatesPath, { body: { resource_provider_generation: 0, aggregates: [] } })
  await placement('PUT', aggregatesPath, { body: { resource_provider_generation: 2, aggregates: [group] } })
  await placement('PUT', aggregatesPath, { body: { resource_provider_generation: 3, aggregates: ['none'] } })
  await placement('PUT', aggregatesPath, { version: '1.18', body: [group] })
  await placement('GET', aggregatesPath, { version: '1.18' })
  await placement('GET', `/resource_providers?member_of=${group}`)
  await placement('GET', `/resource_providers?member_of=in:${group},${nobody}`)
  await placement('GET', `/resource_providers?member_of=!${group}&name=witness-renamed`)
  await placement('GET', `/resource_providers?member_of=!${group}`, { version: '1.31' })

  for (const name of ['CUSTOM_WITNESS', 'CUSTOM_WITNESS', 'witness']) {
    await placement('PUT', `/resource_classes/${name}`)
  }
  await placement('POST', '/resource_classes', { body: { name: 'CUSTOM_WITNESS' } })
  await placement('GET', '/resource_classes/CUSTOM_WITNESS')
  await placement('GET', '/resource_classes/CUSTOM_WITNESS_NONE')
  await placement('DELETE', '/resource_classes/CUSTOM_WITNESS_NONE')
  await placement('DELETE', '/resource_classes/VCPU')
}

async function inventories(talk: Talk): Promise<void> {
  const { placement } = talk
  const root = await rootOf(talk)
  const path = `/resource_providers/${child}/inventories`
  const one = `${path}/CUSTOM_WITNESS`
  await placement('GET', `/resource_providers/${root}/inventories/VCPU`, { note: 'status' })
  await placement('GET', path)
  await placement('GET', one)
  let generation = await generationOf(talk, child)
  const whole = (inventories: object) => ({
    body: { resource_provider_generation: generation, inventories },
  })
  await placement('PUT', one, { body: { resource_provider_generation: generation, total: 1 } })
  await placement('PUT', path, whole({ CUSTOM_WITNESS_NONE: { total: 1 } }))
  await placement('PUT', path, whole({ CUSTOM_WITNESS: {} }))
  await placement('PUT', path, whole({ CUSTOM_WITNESS: { total: 0 } }))
  await placement('PUT', path, whole({ CUSTOM_WITNESS: { total: 'x' } }))
  await placement('PUT', path, whole({ CUSTOM_WITNESS: { total: 3, reserved: 4 } }))
  await placement('PUT', path, { ...whole({ CUSTOM_WITNESS: { total: 3, reserved: 3 } }), version: '1.25' })
  await placement('PUT', path, whole({ CUSTOM_WITNESS: { total: 3, max_unit: 2 } }))
  await placement('PUT', path, whole({}))
  await placement('GET', one)
  await placement('POST', path, { body: { resource_class: 'CUSTOM_WITNESS', total: 1 } })
  await placement('POST', path, { body: { resource_class: 'CUSTOM_WITNESS_NONE', total: 1 } })
  generation = await generationOf(talk, child)
  await placement('PUT', one, { body: { resource_provider_generation: generation, total: 2, reserved: 2 } })
  await placement('PUT', one, { body: { resource_provider_generation: generation, total: 2 } })
  await placement('DELETE', '/resource_classes/CUSTOM_WITNESS')
  await placement('DELETE', one)
  await placement('DELETE', one)
  await placement('DELETE', `${path}/CUSTOM_WITNESS_NONE`)
  await placement('POST', path, { body: { resource_class: 'CUSTOM_WITNESS', total: 3, max_unit: 2 } })
  await placement('GET', `/resource_providers/${child}/usages`)
}

async function allocations(talk: Talk): Promise<void> {
  const { placement } = talk
  const path = `/allocations/${consumer}`
  const held = (amount: unknown, consumer_generation: number | null = null, name = 'CUSTOM_WITNESS') => ({
    body: {
      allocations: { [child]: { resources: { [name]: amount } } },
      project_id: 'witness',
      user_id: 'witness',
      consumer_generation,
      consumer_type: 'INSTANCE',
    },
  })
  await placement('GET', path)
  await placement('PUT', path, held(3))
  await placement('PUT', path, held(0))
  await placement('PUT', path, held(1, 7))
  await placement('PUT', path, held(1, null, 'VCPU'))
  await placement('PUT', path, held(2))
  await placement('PUT', path, held(2))
  await placement('PUT', path, held(1, 1))
  await placement('PUT', path, { body: {} })
  await placement('PUT', '/allocations/witness', held(1))
  await placement('GET', path)
  await placement('GET', path, { version: '1.11' })
  await placement('GET', `/resource_providers/${child}/allocations`)
  await placement('GET', `/resource_providers/${child}/allocations`, { version: '1.27' })
  await placement('GET', `/resource_providers/${child}/usages`)
  await placement('GET', '/usages?project_id=witness')
  await placement('GET', '/usages?project_id=witness', { version: '1.37' })
  await placement('DELETE', `/resource_providers/${child}`)
  await placement('DELETE', `/resource_providers/${child}/inventories`)
  await placement('DELETE', `/resource_providers/${child}/inventories/CUSTOM_WITNESS`)
  const resource_provider_generation = await generationOf(talk, child)
  await placement('PUT', `/resource_providers/${child}/inventories`, {
    body: { resource_provider_generation, inventories: {} },
  })
  await placement('DELETE', path)
  await placement('DELETE', path)
}

async function candidates({ placement }: Talk): Promise<void> {
  const ask = (query: string, version = '1.39') =>
    placement('GET', `/allocation_candidates?${query}`, { version })
  const own = 'in_tree=c0ffee00-1111-4222-8333-000000000001&'
  await ask(`${own}resources=CUSTOM_WITNESS:1`)
  await ask(`${own}resources=CUSTOM_WITNESS:3`)
  await ask(`${own}resources=VCPU:1,CUSTOM_WITNESS:1`)
  await ask(`${own}resources=VCPU:1&resources_A=CUSTOM_WITNESS:1&in_tree_A=${child}`)
  await ask(`${own}resources=VCPU:1&resources_A=CUSTOM_WITNESS:2&resources_B=CUSTOM_WITNESS:2`)
  await ask(
    `${own}resources=VCPU:1&resources_A=CUSTOM_WITNESS:2&resources_B=CUSTOM_WITNESS:2&group_policy=none`,
  )
  await ask(`${own}resources_A=CUSTOM_WITNESS:1&resources_B=CUSTOM_WITNESS:1&group_policy=isolate`)
  await ask(`${own}resources=VCPU:1&required=HW_CPU_X86_AVX`)
  await ask(`${own}resources=VCPU:1&member_of=${group}`)
  await ask(`resources=CUSTOM_WITNESS:1&member_of=${group}`)
  await ask(`resources=CUSTOM_WITNESS:1&member_of=!${group}`)
  await ask(`${own}resources=VCPU:1`, '1.33')
  await ask('resources=CUSTOM_WITNESS:1', '1.28')
  await ask('resources=CUSTOM_WITNESS:1', '1.11')
  await ask('resources=VCPU:1', '1.9')
  await ask('resources=VCPU:1&required=CUSTOM_WITNESS_NONE')
  await ask('resources=CUSTOM_WITNESS_NONE:1')
  await ask('required=HW_CPU_X86_AVX')
  await ask('resources=VCPU:1&limit=0')
  await ask('resources=VCPU:1&nonsense=1')
  await placement('DELETE', `/resource_providers/${child}/inventories`)
  await placement('DELETE', `/resource_providers/${child}`)
  await placement('DELETE', '/resource_classes/CUSTOM_WITNESS')
  await placement('DELETE', '/resource_classes/CUSTOM_WITNESS')
}

async function hosts({ nova }: Talk): Promise<void> {
  for (const version of ['2.90', '2.53', '2.28', '2.1']) {
    await nova('GET', '/os-hypervisors', { version })
    await nova('GET', '/os-hypervisors/detail', { version })
    await nova('GET', '/os-services?binary=nova-compute', { version })
  }
  const { body } = await nova('GET', '/os-hypervisors', { note: 'nothing' })
  const [{ id }] = body.hypervisors
  await nova('GET', `/os-hypervisors/${id}?with_servers=true`)
  await nova('GET', `/os-hypervisors/${nobody}`)
  await nova('GET', '/os-hypervisors/witness')
  await nova('GET', '/os-hypervisors?limit=1', { note: 'status' })
  await nova('GET', '/os-hypervisors?marker=witness')
  await nova('GET', '/os-hypervisors?hypervisor_hostname_pattern=compute1')
  await nova('GET', '/os-hypervisors?hypervisor_hostname_pattern=witness')
  await nova('GET', '/os-services?host=pod1-compute1')
  await nova('GET', '/os-services?host=witness')
  await nova('GET', '/os-availability-zone')
  await nova('GET', '/os-availability-zone/detail', { note: 'status' })
  const { body: listed } = await nova('GET', '/os-services?host=pod1-compute1', { note: 'nothing' })
  const service = `/os-services/${listed.services[0].id}`
  const put = (body: object) => nova('PUT', service, { body })
  await put({ status: 'disabled', disabled_reason: 'witness' })
  await nova('GET', '/os-hypervisors?hypervisor_hostname_pattern=compute1')
  await put({ status: 'enabled' })
  await put({ forced_down: true })
  await put({ forced_down: false })
  await put({})
  await put({ status: 'enabled', disabled_reason: 'witness' })
  await nova('PUT', `/os-services/${nobody}`, { body: { status: 'enabled' } })
  await nova('PUT', '/os-services/witness', { body: { status: 'enabled' } })
  await nova('DELETE', `/os-services/${nobody}`)
  const byHost = { host: 'pod1-compute1', binary: 'nova-compute' }
  await nova('PUT', '/os-services/disable', { version: '2.1', body: byHost })
  await nova('PUT', '/os-services/enable', { version: '2.1', body: byHost })
  await nova('PUT', '/os-services/witness', { version: '2.1', body: byHost })
  for (const path of [
    '/1/uptime',
    '/statistics',
    '/compute1/search',
    '/witness/search',
    '/compute/servers',
  ]) {
    await nova('GET', `/os-hypervisors${path}`, { version: '2.1' })
  }
  await nova('GET', `/os-hypervisors/${id}/uptime`, { version: '2.87' })
  await nova('GET', `/os-hypervisors/${id}/uptime`)
  await nova('GET', '/os-hypervisors/statistics')
  await nova('GET', '/os-hypervisors/compute/search', { version: '2.53' })
  await nova('GET', '/limits')
  await nova('GET', '/os-quota-sets/witness')
}

async function aggregates({ nova, placement, ...talk }: Talk): Promise<void> {
  const post = (aggregate: object, version = '2.90') =>
    nova('POST', '/os-aggregates', { body: { aggregate }, version })
  const { body } = await post({ name: 'witness' })
  await post({ name: 'witness' })
  await post({})
  await post({ name: 1 })
  await post({ name: '' })
  const zoned = await post({ name: 'witness-zone', availability_zone: 'witness-az' }, '2.1')
  const path = `/os-aggregates/${body.aggregate.id}`
  const zonePath = `/os-aggregates/${zoned.body.aggregate.id}`
  const act = (action: object, on = path) => nova('POST', `${on}/action`, { body: action })
  await act({ set_metadata: { metadata: { 'trait:CUSTOM_WITNESS': 'required', a: 'b' } } })
  await act({ set_metadata: { metadata: { a: null } } })
  await act({ set_metadata: { metadata: { a: 1 } } })
  await act({ set_metadata: {} })
  await act({ add_host: { host: 'pod1-compute1' } })
  await act({ add_host: { host: 'pod1-compute1' } })
  await act({ add_host: { host: 'witness' } })
  await act({ remove_host: { host: 'pod1-compute2' } })
  await act({ remove_host: { host: 'witness' } })
  await act({ witness: {} })
  await act({ add_host: { host: 'pod1-compute1' } }, zonePath)
  await nova('GET', '/os-availability-zone')
  await act({ set_metadata: { metadata: { availability_zone: 'witness-other' } } })
  await nova('GET', '/os-aggregates')
  await nova('GET', '/os-aggregates', { version: '2.1' })
  const root = await rootOf({ nova, placement, ...talk })
  const { body: mirrored } = await placement('GET', `/resource_providers/${root}/aggregates`, {
    note: 'nothing',
  })
  talk.notes.push({ call: 'aggregates of the root', status: 200, body: mirrored.aggregates.length })
  await nova('PUT', path, { body: { aggregate: { name: 'witness-zone' } } })
  await nova('PUT', path, { body: { aggregate: { name: 'witness-2' } } })
  await nova('GET', path)
  await nova('DELETE', path)
  await act({ remove_host: { host: 'pod1-compute1' } })
  await act({ remove_host: { host: 'pod1-compute1' } }, zonePath)
  await nova('DELETE', path)
  await nova('DELETE', zonePath)
  await nova('DELETE', path)
  await nova('GET', path)
  await nova('GET', '/os-aggregates/witness')
}

async function flavors({ nova, projectId }: Talk): Promise<void> {
  const post = (flavor: object, version = '2.90') => nova('POST', '/flavors', { body: { flavor }, version })
  const size = { vcpus: 1, ram: 64, disk: 1 }
  const path = '/flavors/witness-flavor'
  await post({ ...size, id: 'witness-flavor', name: 'witness:flavor', 'os-flavor-access:is_public': false })
  await post({ ...size, id: 'witness-flavor', name: 'witness-other' })
  await post({ ...size, name: 'witness:flavor' })
  await post({ ...size, name: 'witness-other', vcpus: 0 })
  await post({ ...size, name: 'witness-other', ram: 'much' })
  await post({ vcpus: 1, ram: 64, name: 'witness-other' })
  await post({ ...size, name: '' })
  await post({ ...size, id: 'witness-old', name: 'witness-old', swap: 8 }, '2.1')
  await nova('GET', path)
  await nova('GET', path, { version: '2.1' })
  await nova('GET', '/flavors/witness-old', { version: '2.54' })
  await nova('GET', '/flavors/witness-none')
  await nova('GET', path, { as: 'member' })
  const specs = (extra_specs: unknown, on = path) =>
    nova('POST', `${on}/os-extra_specs`, { body: { extra_specs } })
  await specs({ 'resources_ATOLL:CUSTOM_WITNESS': '1' })
  await specs({ 'trait_ATOLL:CUSTOM_WITNESS': 'required', 'a:b': 1 })
  await specs({ 'a,b': '1' })
  await specs({}, '/flavors/witness-none')
  await nova('GET', `${path}/os-extra_specs`)
  await nova('GET', `${path}/os-extra_specs/a:b`)
  await nova('GET', `${path}/os-extra_specs/none`)
  await nova('PUT', `${path}/os-extra_specs/a:b`, { body: { 'a:b': '2' } })
  await nova('PUT', `${path}/os-extra_specs/a:b`, { body: { 'a:c': '2' } })
  await nova('DELETE', `${path}/os-extra_specs/a:b`)
  await nova('DELETE', `${path}/os-extra_specs/a:b`)
  const access = (action: object, on = path) => nova('POST', `${on}/action`, { body: action })
  await nova('GET', `${path}/os-flavor-access`)
  await access({ addTenantAccess: { tenant: 'witness' } })
  await access({ addTenantAccess: { tenant: projectId } })
  await access({ addTenantAccess: { tenant: projectId } })
  await nova('GET', path, { as: 'member' })
  await nova('GET', `${path}/os-extra_specs`, { as: 'member' })
  await nova('GET', `${path}/os-flavor-access`)
  await nova('GET', '/flavors?limit=1', { as: 'member', note: 'status' })
  await access({ removeTenantAccess: { tenant: projectId } })
  await access({ removeTenantAccess: { tenant: projectId } })
  await access({ addTenantAccess: { tenant: projectId } }, '/flavors/witness-old')
  await nova('GET', '/flavors/witness-old/os-flavor-access')
  await nova('GET', '/flavors?marker=witness-none')
  await nova('GET', '/flavors?is_public=none&marker=witness-flavor')
  await nova('PUT', path, { body: { flavor: { description: 'seen' } } })
  await nova('DELETE', '/flavors/witness-old')
  await nova('DELETE', path)
  await nova('DELETE', path)
}

async function servers(talk: Talk): Promise<void> {
  const { nova, imageId, tokens: _tokens } = talk
  const flavorRef = 'witness-small'
  const size = { vcpus: 1, ram: 64, disk: 1 }
  await nova('POST', '/flavors', { body: { flavor: { ...size, id: flavorRef, name: flavorRef } } })
  const plain = { name: 'witness', flavorRef, imageRef: imageId, networks: 'none' }
  const post = (server: object, as: 'admin' | 'member' = 'member', version = '2.90') =>
    nova('POST', '/servers', { body: { server }, as, version })
  await post({ name: 'witness', flavorRef, imageRef: imageId })
  await post({ ...plain, flavorRef: 'witness-none' })
  await post({ ...plain, imageRef: nobody })
  await post({ name: 'witness', flavorRef, networks: 'none' })
  await post({ ...plain, availability_zone: 'witness' })
  await post({ ...plain, availability_zone: 'nova:pod1-compute1' })
  await post({ ...plain, host: 'pod1-compute1' })
  await post({ ...plain, host: 'witness' }, 'admin')
  const lost = await post({ ...plain, availability_zone: 'nova:witness' }, 'admin')
  await settled(talk, `/servers/${lost.body.server.id}`)
  await nova('DELETE', `/servers/${lost.body.server.id}`)
  await gone(talk, `/servers/${lost.body.server.id}`)
  await post({ ...plain, name: '' })
  await post({ flavorRef, imageRef: imageId, networks: 'none' })
  const { body } = await post(plain)
  const path = `/servers/${body.server.id}`
  await settled(talk, path)
  for (const version of ['2.90', '2.75', '2.53', '2.46', '2.1']) {
    await nova('GET', path, { version, as: 'member' })
  }
  const { body: placed } = await nova('GET', path, { note: 'nothing' })
  const keys = (one: object) => Object.keys(one).sort()
  talk.notes.push({ call: 'a server as an admin sees it', status: 200, body: keys(placed.server) })
  const { body: old } = await nova('GET', path, { note: 'nothing', version: '2.1' })
  talk.notes.push({ call: 'the same at 2.1', status: 200, body: keys(old.server) })
  await nova('GET', '/servers', { as: 'member' })
  await nova('GET', '/servers?name=^wit', { as: 'member' })
  await nova('GET', '/servers?name=none', { as: 'member' })
  await nova('GET', '/servers?status=ACTIVE', { as: 'member' })
  await nova('GET', '/servers?status=SHUTOFF', { as: 'member' })
  await nova('GET', '/servers?flavor=witness-small', { as: 'member' })
  await nova('GET', '/servers?host=nowhere', { as: 'member' })
  await nova('GET', '/servers?limit=1', { as: 'member' })
  await nova('GET', `/servers?marker=${body.server.id}`, { as: 'member' })
  await nova('GET', '/servers?marker=witness', { as: 'member' })
  await nova('GET', '/servers?limit=-1', { as: 'member' })
  await nova('GET', '/servers?all_tenants=1', { as: 'member' })
  await nova('GET', '/servers/detail?all_tenants=1', { as: 'member' })
  await nova('GET', '/servers?changes-since=never', { as: 'member' })
  await nova('GET', '/servers?changes-since=2099-01-01T00:00:00Z', { as: 'member' })
  await nova('GET', '/servers?all_tenants=1&host=nowhere')
  await nova('GET', `/servers?all_tenants=1&host=${placed.server['OS-EXT-SRV-ATTR:host']}`)
  await nova('GET', `/servers?all_tenants=1&node=${placed.server['OS-EXT-SRV-ATTR:hypervisor_hostname']}`)
  await nova('GET', '/servers')
  await busyHost(talk, placed.server)
  await actions(talk, path)
  await moves(talk, path)
  await deletion(talk, path, plain)
  await nova('DELETE', `/flavors/${flavorRef}`, { note: 'nothing' })
}

async function actions(talk: Talk, path: string): Promise<void> {
  const { nova } = talk
  const act = async (body: object) => {
    await nova('POST', `${path}/action`, { body, as: 'member' })
    await settled(talk, path)
  }
  const status = async () => {
    const { body } = await nova('GET', path, { note: 'nothing' })
    const { status, 'OS-EXT-STS:vm_state': vm, 'OS-EXT-STS:power_state': power } = body.server
    talk.notes.push({ call: 'its state', status: 200, body: { status, vm, power } })
  }
  await act({ 'os-start': null })
  await act({ 'os-stop': null })
  await status()
  await act({ 'os-stop': null })
  await act({ 'os-start': null })
  await act({ reboot: { type: 'HARD' } })
  await status()
  await act({ reboot: { type: 'witness' } })
  await act({ reboot: {} })
  await act({ witness: null })
  await act({ confirmResize: null })
  await act({ unshelve: null })
  await act({ migrate: null })
  await act({ resize: { flavorRef: 'witness-small' } })
  await act({ resize: { flavorRef: 'witness-none' } })
  const larger = { id: 'witness-larger', name: 'witness-larger', vcpus: 2, ram: 64, disk: 1 }
  await nova('POST', '/flavors', { body: { flavor: larger } })
  await act({ resize: { flavorRef: 'witness-larger' } })
  await status()
  await act({ revertResize: null })
  await status()
  await act({ resize: { flavorRef: 'witness-larger' } })
  await act({ confirmResize: null })
  await settled(talk, path, 'ACTIVE')
  await status()
  await nova('GET', path, { as: 'member' })
  await nova('DELETE', '/flavors/witness-larger')
  await act({ createImage: { name: 'witness-image' } })
  await act({ createImage: {} })
  await nova('PUT', path, { body: { server: { name: 'witness-renamed' } }, as: 'member' })
}

/** What is refused, and shown, of a host that has a server. */
async function busyHost({ nova }: Talk, server: Record<string, string>): Promise<void> {
  const host = server['OS-EXT-SRV-ATTR:host']
  const { body } = await nova('GET', `/os-services?host=${host}`, { note: 'nothing' })
  await nova('DELETE', `/os-services/${body.services[0].id}`)
  const pattern = `/os-hypervisors?hypervisor_hostname_pattern=${host}`
  await nova('GET', `${pattern}&with_servers=true`)
  await nova('GET', `${pattern}&with_servers=true`, { version: '2.53' })
  await nova('GET', `/os-hypervisors/${host}/servers`, { version: '2.1' })
}

async function moves(talk: Talk, path: string): Promise<void> {
  const { nova } = talk
  const act = async (body: object, wanted?: string, as: 'admin' | 'member' = 'member') => {
    await nova('POST', `${path}/action`, { body, as })
    await settled(talk, path, wanted)
    const shown = await nova('GET', path, { note: 'nothing' })
    const { status, 'OS-EXT-STS:vm_state': vm, 'OS-EXT-SRV-ATTR:host': host, fault } = shown.body.server
    const hasHost = host !== null
    talk.notes.push({ call: 'its place', status: 200, body: { status, vm, hasHost, fault: fault?.message } })
  }
  const vast = { id: 'witness-vast', name: 'witness-vast', vcpus: 10_000, ram: 64, disk: 1 }
  await nova('POST', '/flavors', { body: { flavor: vast } })
  await act({ resize: { flavorRef: 'witness-vast' } })
  await act({ migrate: null }, 'VERIFY_RESIZE', 'admin')
  await act({ confirmResize: null }, 'ACTIVE')
  await act({ shelve: null }, 'SHELVED_OFFLOADED')
  await act({ shelve: null })
  await act({ 'os-start': null })
  await act({ unshelve: null }, 'ACTIVE')
  await nova('DELETE', '/flavors/witness-vast')
}

async function deletion(talk: Talk, path: string, plain: object): Promise<void> {
  const { nova } = talk
  await nova('DELETE', path, { as: 'member' })
  await gone(talk, path)
  await nova('DELETE', path, { as: 'member' })
  await nova('GET', path, { as: 'member' })
  await nova('POST', `${path}/action`, { body: { 'os-stop': null }, as: 'member' })
  const huge = { id: 'witness-huge', name: 'witness-huge', vcpus: 10_000, ram: 64, disk: 1 }
  await nova('POST', '/flavors', { body: { flavor: huge } })
  const server = { ...plain, flavorRef: 'witness-huge' }
  const { body } = await nova('POST', '/servers', { body: { server }, as: 'member' })
  const failed = `/servers/${body.server.id}`
  await settled(talk, failed)
  await nova('GET', failed, { as: 'member' })
  await nova('POST', `${failed}/action`, { body: { 'os-start': null }, as: 'member' })
  await nova('DELETE', failed, { as: 'member' })
  await gone(talk, failed)
  await nova('DELETE', '/flavors/witness-huge')
}

async function refusals({ nova, placement }: Talk): Promise<void> {
  await nova('GET', '/servers', { as: 'nobody' })
  await placement('GET', '/resource_providers', { as: 'nobody' })
  await nova('GET', '/witness', { note: 'status' })
  await placement('GET', '/witness')
  await placement('PATCH', '/resource_providers')
  await nova('GET', '/servers', { version: '2.0' })
  await placement('GET', '/resource_providers', { version: '1.99' })
  for (const path of ['/os-hypervisors', '/os-hypervisors/detail', '/os-services', '/os-aggregates']) {
    await nova('GET', path, { as: 'member' })
  }
  await nova('GET', '/os-availability-zone/detail', { as: 'member' })
  await nova('POST', '/os-aggregates', { as: 'member', body: { aggregate: { name: 'witness' } } })
  await nova('POST', '/flavors', {
    as: 'member',
    body: { flavor: { name: 'witness', vcpus: 1, ram: 64, disk: 1 } },
  })
  for (const path of [
    '/resource_providers',
    '/traits',
    '/resource_classes',
    '/allocation_candidates?resources=VCPU:1',
  ]) {
    await placement('GET', path, { as: 'member' })
  }
  await placement('PUT', '/traits/CUSTOM_WITNESS', { as: 'member' })
}
