// The operator's lines: which are some, what they let through, and which addresses they do not open.
import { isIP } from 'node:net'
import { describe, expect, test } from 'vitest'
import { createEgress } from '../../src/openstack/egress.ts'
import { isRefused, look, wide } from './guarded.ts'

describe('a line', () => {
  test.each([
    '',
    'https://',
    'k.test',
    '10.0.0.0/8',
    'ftp://k.test',
    'https://k.test/',
    'https://k.test/v3',
    'https://u@k.test',
    'https://*.k.test',
    'https://10.0.0.0/33',
    'https://10.0.0/8',
    'https://010.0.0.1',
    'https://k.test/24',
    'https://[10.0.0.1]/8',
    'https://[fd00::]/8',
    'https://fd00::1',
    'https://[fd00::/129]',
    'https://k.test:0',
    'https://k.test:65536',
    'https://k.test:9000-8000',
    'https://k.test:http',
    'https://k.test:5000,443',
    ' https://k.test',
    'https://k.test\n',
  ])('%j is none', line => {
    expect(() => createEgress({ allow: [line] })).toThrow(
      `${JSON.stringify(line)} does not say what may be called`,
    )
  })

  test.each([
    'https://k.test',
    'HTTPS://k.test'.toLowerCase(),
    'https://K.test.',
    'http://10.0.0.0/8',
    'http://10.0.0.1:80',
    'https://10.0.0.0/8:443-9999',
    'https://[fd00::/8]:5000',
    'http://[::1]:5000',
    'http://localhost:15000',
    'https://a-b_c.test:1-65535',
  ])('%s is one', line => expect(() => createEgress({ allow: [line] })).not.toThrow())
})

describe('an address', () => {
  const egress = createEgress({ allow: wide })
  const addressesOf = (host: string) => egress.addressesOf({ protocol: 'http:', host, port: 5000 })

  test.each([
    '169.254.169.254',
    '169.254.0.1',
    '224.0.0.1',
    '239.255.255.255',
    '255.255.255.255',
    '240.0.0.1',
    '0.1.2.3',
    '100.100.100.200',
    '::127.0.0.1',
    '::ffff:169.254.169.254',
    '::ffff:a9fe:a9fe',
    '::169.254.169.254',
    '::ffff:0:127.0.0.1',
    '64:ff9b::127.0.0.1',
    '64:ff9b::a9fe:a9fe',
    '64:ff9b:1::127.0.0.1',
    '2002:7f00:1::1',
    '2002:a9fe:a9fe::1',
    '2001::1',
    'fe80::1',
    'febf::1',
    'ff02::1',
    'fd00:ec2::254',
  ])('%s is special, and wide lines do not open it', async host => {
    await expect(addressesOf(host)).rejects.toMatchObject({ name: 'DeniedError' })
    await expect(
      look(`http://${isIP(host) === 6 ? `[${host}]` : host}:5000`, { allow: wide }),
    ).resolves.toMatchObject({
      error: isRefused(),
    })
  })

  test.each([
    '10.0.2.15',
    '192.168.0.1',
    '203.0.113.1',
    'fd00::5',
    '2a00::1',
    '64:ff9b::203.0.113.1',
    '2002:cb00:7101::1',
  ])('%s is any machine’s', async host =>
    expect(await addressesOf(host)).toEqual([host === '64:ff9b::203.0.113.1' ? '64:ff9b::cb00:7101' : host]),
  )

  test('that is a mapped one is the IPv4 one that the system connects to', async () => {
    const only = createEgress({ allow: ['http://10.0.0.0/8'] })
    const at = (host: string) => only.addressesOf({ protocol: 'http:', host, port: 5000 })
    expect(await at('::ffff:10.1.2.3')).toEqual(['10.1.2.3'])
    await expect(at('::ffff:11.1.2.3')).rejects.toThrow('which no line allows')
    await expect(at('64:ff9b::10.1.2.3')).rejects.toThrow('which no line allows')
  })
})

test('a line without a port is one for the usual ports, of its own scheme', () => {
  const egress = createEgress({ allow: ['https://k.test', 'http://plain.test', 'https://odd.test:35357'] })
  const allowed = (url: string): boolean => {
    try {
      egress.check(new URL(url))
      return true
    } catch {
      return false
    }
  }
  for (const at of ['', ':443', ':5000', ':8000', ':8774', ':9696', ':9999'])
    expect(allowed(`https://k.test${at}`), at).toBe(true)
  for (const at of [':80', ':22', ':5432', ':4999', ':7999', ':10000', ':65535'])
    expect(allowed(`https://k.test${at}`), at).toBe(false)
  expect(allowed('http://k.test:5000')).toBe(false)
  expect(allowed('http://plain.test:5000')).toBe(true)
  expect(allowed('http://plain.test')).toBe(false)
  expect(allowed('https://odd.test:35357')).toBe(true)
  expect(allowed('https://odd.test:5000')).toBe(false)
  expect(allowed('https://sub.k.test')).toBe(false)
  expect(allowed('https://k.test.evil.test')).toBe(false)
  expect(allowed('https://K.TEST.')).toBe(true)
})
