// The bodies of refusals by a region's services, and the one error that each becomes.
import { z } from 'zod'
import { AppError, isRefusal } from '../core/error.ts'
import type { CallError, Reply } from './http.ts'

/** A call, for the error about it: which service of which region was asked for what. */
export interface Asked {
  readonly region: string
  /** `Neutron`, `Nova`, … */
  readonly service: string
  /** `POST /v2.0/ports` */
  readonly what: string
  /** True when the call may be made again without harm. */
  readonly repeatable: boolean
}

interface Fault {
  /** The service's own word for it: `IpAddressInUse`, `placement.concurrent_update`. */
  readonly type?: string | undefined
  readonly message: string
}

const text = z.string().max(100_000)

/** Neutron: `{"NeutronError": {"type", "message", "detail"}}`. */
const neutron = z
  .object({ NeutronError: z.object({ type: text, message: text }) })
  .transform(({ NeutronError: { type, message } }): Fault => ({ type, message }))

/** Placement: `{"errors": [{"status", "title", "detail", "code"}]}`. */
const placement = z
  .object({ errors: z.tuple([z.object({ detail: text, code: text.optional() })], z.unknown()) })
  .transform(({ errors: [{ detail, code }] }): Fault => ({ type: code, message: detail }))

/** Nova: `{"itemNotFound": {"code", "message"}}`; Keystone and its middleware: `{"error": {…}}`. */
const keyed = z.record(text, z.object({ message: text })).transform((body): Fault => {
  const [type, fault] = Object.entries(body)[0] ?? ['error', { message: '' }]
  return { type: type === 'error' ? undefined : type, message: fault.message }
})

/** The body that WebOb makes of an error for which the service itself had no words. */
const plain = z.object({ message: text }).transform(({ message }): Fault => ({ message }))

const anyFault = z.union([neutron, placement, keyed, plain])

const longest = 500

/** Null when the body is none of the shapes that OpenStack's services have: then it is not shown to anyone. */
function readFault(body: unknown): Fault | null {
  if (Object.keys(body ?? {}).length > 5) return null
  const parsed = anyFault.safeParse(body)
  if (!parsed.success) return null
  const words = parsed.data.message
    .replace(/<[^<>]*>|\p{Cc}/gu, ' ')
    .replace(/\s+/g, ' ')
    .trim()
  const type = parsed.data.type
  return {
    message: words.length > longest ? `${words.slice(0, longest)}…` : words,
    type: type !== undefined && /^[\w.-]{1,100}$/.test(type) ? type : undefined,
  }
}

/** True for Neutron's own "there is no such thing": not for a path or a right that it does not know. */
export function isGone(reply: Reply): boolean {
  const type = reply.status === 404 ? readFault(reply.body)?.type : undefined
  return type !== undefined && type !== 'HTTPNotFound'
}

/** True when the thing asked for may have been done although no good answer came: look it up by its mark. */
export const isMaybeDone = (error: unknown): boolean =>
  error instanceof AppError && error.code === 'upstream' && error.detail.reason === 'maybe_done'

/** The error for an answer that is a refusal. Its reason is the service's own word, where it has one. */
export function refusal(asked: Asked, reply: Reply, wasRepeated: boolean): AppError {
  const fault = readFault(reply.body)
  const redirect = reply.status >= 300 && reply.status < 400 ? 'a redirect, which is not followed' : ''
  const words = fault?.message || redirect || 'no reason given'
  // A precondition that fails at the second try may have been met by the first one, whose answer was lost.
  const maybeDone = (!asked.repeatable && reply.status >= 500) || (wasRepeated && reply.status === 412)
  const reason = maybeDone ? 'maybe_done' : fault?.type
  return upstream(asked, `answered ${reply.status} to ${asked.what}: ${words}`, reason, reply.status)
}

/** The refusal of a service whose own word says too little, with a reason of ours where its sentence is this one. */
export function named(error: unknown, sentence: RegExp, reason: string): unknown {
  if (!isRefusal(error) || !sentence.test(error.message)) return error
  return new AppError(error.code, error.message, { ...error.detail, reason }, { cause: error })
}

/** The error for an answer that did not come. Its reason is `maybe_done`, or else how it failed. */
export function noAnswer(asked: Asked, error: CallError): AppError {
  const maybeDone = !asked.repeatable && error.sent
  const words = `gave no usable answer: ${error.message}${maybeDone ? ' (it may have been done)' : ''}`
  return upstream(asked, words, maybeDone ? 'maybe_done' : error.failure, error.status, error)
}

/** The error for an answer that is not what the service's API promises. */
export function badAnswer(asked: Asked, what: string, status: number): AppError {
  const reason = asked.repeatable ? 'garbage' : 'maybe_done'
  return upstream(asked, `answered ${asked.what} with something unexpected: ${what}`, reason, status)
}

function upstream(
  { region, service }: Asked,
  words: string,
  reason: string | undefined,
  status: number | undefined,
  cause?: Error,
): AppError {
  const detail = {
    region,
    service,
    ...(reason === undefined ? {} : { reason }),
    ...(status === undefined ? {} : { status }),
  }
  return new AppError('upstream', `${region}'s ${service} ${words}`, detail, cause ? { cause } : undefined)
}
