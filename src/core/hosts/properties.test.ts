// What filters see of a host.

import { describe, expect, it } from 'vitest'
import { matches, parseFilter } from '../filter/filter.ts'
import { builtInProperties, type Host } from './host.ts'
import { hostValue } from './properties.ts'

const host: Host = {
  id: 7,
  regionId: 'r1',
  regionName: 'Pod1',
  state: 'enrolled',
  reservable: true,
  hypervisorId: 'f47ac10b-58cc-4372-a567-0e02b2c3d479',
  hypervisorHostname: 'compute-1',
  hypervisorType: 'QEMU',
  hypervisorVersion: 2012000,
  cpuInfo: '{"arch": "x86_64"}',
  serviceName: 'compute-1.example',
  vcpus: 32,
  memoryMb: 131072,
  localGb: 900,
  availabilityZone: 'az1',
  providerId: 'f47ac10b-58cc-4372-a567-0e02b2c3d479',
  inventory: {},
  capabilities: { gpu: 'True', region: 'elsewhere', empty: '' },
  createdAt: new Date('2026-11-20T10:20:30.999Z'),
  updatedAt: null,
}
const asks = (text: string, of = host): boolean => matches(parseFilter(text), name => hostValue(of, name))

describe('a host', () => {
  it('has every built-in property', () => {
    expect(Object.fromEntries(builtInProperties.map(name => [name, hostValue(host, name)]))).toEqual({
      id: 7,
      vcpus: 32,
      cpu_info: '{"arch": "x86_64"}',
      hypervisor_type: 'QEMU',
      hypervisor_version: 2012000,
      hypervisor_hostname: 'compute-1',
      service_name: 'compute-1.example',
      memory_mb: 131072,
      local_gb: 900,
      status: null,
      availability_zone: 'az1',
      trust_id: null,
      reservable: 1,
      created_at: '2026-11-20 10:20:30',
      updated_at: null,
      region: 'Pod1',
    })
    expect(hostValue({ ...host, updatedAt: new Date(0) }, 'updated_at')).toBe('1970-01-01 00:00:00')
  })

  it('has its capabilities, unless they are called as a built-in property is', () => {
    expect(['gpu', 'empty', 'region'].map(name => hostValue(host, name))).toEqual(['True', '', 'Pod1'])
  })

  it.each([
    'ssd',
    '',
    'vcpus ',
    'Vcpus',
    'inventory',
    '__proto__',
    'constructor',
    'toString',
    'hasOwnProperty',
  ])('has nothing called %j', name => expect(hostValue(host, name)).toBeUndefined())

  it('may have a capability with the name of what every object has', () => {
    const capabilities = JSON.parse('{"__proto__": "a", "constructor": "b"}')
    const odd = { ...host, capabilities }
    expect(['__proto__', 'constructor'].map(name => hostValue(odd, name))).toEqual(['a', 'b'])
  })
})

describe('a filter over a host', () => {
  it.each([
    '["==", "$hypervisor_hostname", "compute-1"]',
    '["==", "$region", "Pod1"]',
    '["and", [">=", "$vcpus", "9"], [">", "$memory_mb", 8192]]',
    '["==", "$id", "7"]',
    '[">=", "$created_at", "2026-11-20"]',
    '["==", "$trust_id", null]',
    '["==", "$updated_at", "null"]',
  ])('matches by %s', text => expect(asks(text)).toBe(true))

  it.each(['["!=", "$updated_at", 5]', '["!=", "$ssd", "no"]', '["==", "$region", "elsewhere"]'])(
    'does not match by %s',
    text => expect(asks(text)).toBe(false),
  )

  it.each(['true', '"True"', '"TRUE"', '"1"', '1'])('finds what is reservable by %s', value => {
    const text = `["==", "$reservable", ${value}]`
    expect([asks(text), asks(text, { ...host, reservable: false })]).toEqual([true, false])
  })

  it.each(['false', '"False"', '"0"', '0'])('finds what is not by %s', value => {
    const text = `["==", "$reservable", ${value}]`
    expect([asks(text), asks(text, { ...host, reservable: false })]).toEqual([false, true])
  })
})
