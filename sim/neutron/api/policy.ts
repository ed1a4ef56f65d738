// Policy: every rule that a request touches is checked, and the refusal names them all.

import { refusal } from '../errors.ts'
import type { Attribute, Attributes, Fields } from '../model/attributes.ts'
import { isDictionary } from '../model/kinds.ts'
import { type Caller, isAllowed, type Rule } from '../model/rules.ts'
import type { Region } from '../region.ts'

interface Act {
  verb: 'get' | 'create' | 'update' | 'delete'
  /** The resource's name. */
  on: string
  rule: Rule
  attributes: Attributes
  /** The attributes that the request gives. */
  given: Fields
  /** The resource as it would be after the request. */
  target: Fields
}

/** Refuses what the caller may not do, naming every rule that the request touched. */
export function enforce(act: Act, caller: Caller, region: Region): void {
  const action = `${act.verb}_${act.on}`
  const asked = [{ name: `rule:${action}`, rules: [act.rule] }]
  if (act.verb === 'create' || act.verb === 'update') {
    for (const name of Object.keys(act.attributes)) {
      const attribute = act.attributes[name] ?? {}
      if (attribute.setBy === undefined || !isChosen(name, attribute, act)) continue
      asked.push(rulesOf(`rule:${action}:${name}`, attribute, act, name))
    }
  }
  const role = act.verb === 'get' ? 'reader' : 'member'
  const isPassed = (rule: Rule) => isAllowed(rule, caller, act.target, region, role)
  if (asked.every(({ rules }) => rules.every(isPassed))) return
  const named = asked.map(({ name }) => name).reduce((all, name) => `(${all} and ${name})`)
  throw refusal(403, 'PolicyNotAuthorized', `${named} is disallowed by policy`)
}

/** Whether a request sets an attribute: at create, giving the default does not count. */
function isChosen(name: string, attribute: Attribute, { verb, given }: Act): boolean {
  const value = given[name]
  if (value === undefined) return false
  return verb === 'update' || JSON.stringify(value) !== JSON.stringify(attribute.default)
}

function rulesOf(name: string, attribute: Attribute, act: Act, key: string): { name: string; rules: Rule[] } {
  const parts = partsOf(act.given[key], attribute)
  const own = ruleFor(attribute.setBy ?? 'anybody', act)
  if (parts.length === 0) return { name, rules: [own] }
  const partRules = parts.map(part => ruleFor(attribute.partsSetBy?.[part] ?? 'owner', act))
  const inner = parts.map(part => `${name}:${part}`).join(' and ')
  return { name: `(${name} and (${inner}))`, rules: [own, ...partRules] }
}

function partsOf(value: unknown, { partsSetBy }: Attribute): string[] {
  if (partsSetBy === undefined) return []
  if (isDictionary(value)) return Object.keys(partsSetBy).filter(part => part in value)
  if (!Array.isArray(value)) return []
  return value.flatMap(item => (isDictionary(item) ? Object.keys(item) : []))
}

function ruleFor(rule: NonNullable<Attribute['setBy']>, { verb }: Act): Rule {
  if (typeof rule === 'string') return rule
  return verb === 'create' ? rule.create : rule.update
}
