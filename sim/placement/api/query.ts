// The syntax of values in Placement's queries: resources, traits, aggregates.

import type { Group } from '../candidates.ts'
import { invalid } from '../refusals.ts'
import { badQuery, isUuid } from './asked.ts'

/** `VCPU:2,MEMORY_MB:1024` */
export function readResources(text: string): Map<string, number> {
  const badly = (got: string) =>
    invalid(
      'Badly formed resources parameter. Expected resources query string parameter in form: ' +
        `?resources=VCPU:2,MEMORY_MB:1024. Got: ${got}.`,
    )
  if (text.trim() === '') throw badly('empty string')
  return new Map(
    text.split(',').map(pair => {
      const [name, amount, ...rest] = pair.split(':')
      if (name === undefined || amount === undefined || rest.length > 0) throw badly(pair)
      if (!/^[+-]?\d+$/.test(amount.trim())) {
        throw invalid(`Requested resource ${name} expected positive integer amount. Got: ${amount}.`)
      }
      if (Number(amount) < 1) {
        throw invalid(`Requested resource ${name} requires amount >= 1. Got: ${Number(amount)}.`)
      }
      return [name, Number(amount)] as const
    }),
  )
}

/** `A,!B`, and from 1.39 also `in:A,B`, more than once. */
export function readTraits(texts: readonly string[], minor: number): Pick<Group, 'required' | 'forbidden'> {
  const required: string[][] = []
  const forbidden: string[] = []
  for (const text of minor >= 39 ? texts : texts.slice(-1)) {
    const isAny = text.startsWith('in:')
    if (isAny && minor < 39) {
      const form = "The format 'in:HW_CPU_X86_VMX,CUSTOM_MAGIC' only supported since microversion 1.39."
      throw badQuery(`${form} Got: ${text}`)
    }
    const names = (isAny ? text.slice(3) : text).split(',').map(name => name.trim())
    if (names.some(name => name.replace(/^!+/, '') === '')) {
      const form = "Expected 'required' parameter value of the form: HW_CPU_X86_VMX,!CUSTOM_MAGIC."
      throw badQuery(`${form} Got an empty trait in: ${text}`)
    }
    if (isAny) required.push(names)
    else required.push(...names.filter(name => !name.startsWith('!')).map(name => [name]))
    forbidden.push(...names.filter(name => name.startsWith('!')).map(name => name.replace(/^!+/, '')))
  }
  if (forbidden.length > 0 && minor < 22) {
    const form = "Expected 'required' parameter value of the form: HW_CPU_X86_VMX,CUSTOM_MAGIC."
    throw badQuery(`${form} Got: ${texts.at(-1)}`)
  }
  return { required, forbidden }
}

/** `uuid`, `in:uuid,uuid`, and from 1.32 `!uuid` and `!in:uuid,uuid`; from 1.24 more than once. */
export function readMemberOf(
  texts: readonly string[],
  minor: number,
): Pick<Group, 'memberOf' | 'notMemberOf'> {
  const memberOf: string[][] = []
  const notMemberOf: string[] = []
  if (texts.length > 1 && minor < 24) throw badQuery("Multiple 'member_of' parameters are not supported")
  for (const text of texts) {
    const isForbidden = text.startsWith('!')
    if (isForbidden && minor < 32) {
      throw invalid('Forbidden member_of parameters are not supported in the specified microversion')
    }
    const uuids = text.replace(/^!/, '').replace(/^in:/, '').split(',')
    if (uuids.some(one => !isUuid(one))) {
      throw badQuery(`Expected 'member_of' parameter to contain valid UUID(s). Got: ${text}`)
    }
    if (isForbidden) notMemberOf.push(...uuids)
    else memberOf.push(uuids)
  }
  return { memberOf, notMemberOf }
}
