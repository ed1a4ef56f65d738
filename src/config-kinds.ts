// What values of settings are like, each with the words for one that is not.

import { isIPv4, isIPv6 } from 'node:net'
import { z } from 'zod'

export const address = z.string().refine(value => {
  const [, ipv6, port] = /^(?:\[([^\]]+)\]|[^\s:/[\]]+):(\d{1,5})$/.exec(value) ?? []
  return port !== undefined && Number(port) <= 65_535 && (ipv6 === undefined || isIPv6(ipv6))
}, 'must be HOST:PORT, for instance 127.0.0.1:19999')
export const url = z
  .string()
  .regex(/^https?:\/\/[^\s@]+$/, 'must be an http or https URL without a user name in it')
/** As BlockList takes it: an address, or a network with the number of its bits. */
export const network = z.string().refine(value => {
  const [address = '', bits, ...rest] = value.split('/')
  const most = isIPv4(address) ? 32 : isIPv6(address) ? 128 : -1
  return (
    most > 0 && rest.length === 0 && (bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= most))
  )
}, 'must be an IP address or a network, for instance 10.0.0.1 or 10.0.0.0/8')
export const file = z.string().min(1, 'must be the path of a file')
export const text = z.string().min(1, 'must not be empty')
export const whole = (minimum: number, maximum: number) =>
  z
    .int('must be a whole number')
    .min(minimum, `must be at least ${minimum}`)
    .max(maximum, `must be at most ${maximum}`)

export const persona = z.enum(['admin', 'manager', 'member', 'reader', 'any', 'nobody'], {
  error: 'must be one of admin, manager, member, reader, any, nobody',
})
