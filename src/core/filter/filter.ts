// The filter language of reservations.

import { type List, readList, refuse, type Span, type Term } from './filter-text.ts'

/** A filter: all hosts, a condition, or filters joined by `and`, `or` and `not`. */
export type Filter =
  | { readonly op: 'all' }
  | { readonly op: 'and' | 'or'; readonly of: readonly Filter[] }
  | { readonly op: 'not'; readonly of: Filter }
  | Condition

export const comparisons = ['==', '!=', '>=', '<=', '>', '<'] as const
export type Comparison = (typeof comparisons)[number]

export interface Condition {
  readonly op: Comparison
  readonly property: string
  readonly value: string | number | null
}

/** A host's value of a property: null when it has none, undefined when there is no such property. */
export type PropertyValue = string | number | null | undefined

export const filterLimits = { length: 8192, depth: 20 }

const operators: ReadonlyMap<unknown, Comparison> = new Map<unknown, Comparison>([
  ...comparisons.map(op => [op, op] as const),
  ['=', '=='],
])

/**
 * Reads a filter's text; throws `invalid` (malformed_filter) with the character where it goes wrong. A value `true`
 * or `false` is the text of that name, and the text "null" is null.
 */
export function parseFilter(text: string): Filter {
  if (text === '') return { op: 'all' }
  const list = readList(text, filterLimits)
  return list.items.length === 0 ? { op: 'all' } : filterOf(text, list)
}

function filterOf(text: string, term: Term): Filter {
  if (!('items' in term)) throw refuse(text, term, 'a condition in brackets')
  const [head, ...rest] = term.items
  const op = head && 'value' in head ? head.value : undefined
  const comparison = operators.get(op)
  if (comparison) return conditionOf(text, comparison, term)
  if (op !== 'and' && op !== 'or' && op !== 'not') {
    throw refuse(text, head ?? closing(term), `one of ${[...operators.keys(), 'and', 'or', 'not'].join(' ')}`)
  }
  const [first, second] = rest
  if (!first) throw refuse(text, closing(term), 'a condition in brackets')
  if (op !== 'not') return { op, of: rest.map(item => filterOf(text, item)) }
  if (second) throw refuse(text, second, ']: not takes one condition')
  return { op, of: filterOf(text, first) }
}

function conditionOf(text: string, op: Comparison, list: List): Condition {
  const [, key, operand, extra] = list.items
  const name = key && 'value' in key ? key.value : undefined
  if (typeof name !== 'string' || !/^\$./s.test(name)) {
    throw refuse(text, key ?? closing(list), 'the name of a property after a $, such as "$vcpus"')
  }
  if (!operand || !('value' in operand) || operand.value === '') {
    throw refuse(text, operand ?? closing(list), 'a text that is not empty, a number, true, false or null')
  }
  if (extra) throw refuse(text, extra, ']: a condition has one value')
  const { value } = operand
  const plain = typeof value === 'boolean' ? `${value}` : value
  return { op, property: name.slice(1), value: plain === 'null' ? null : plain }
}

const closing = (list: List): Span => ({ at: list.end - 1, end: list.end })

/**
 * Whether a host matches a filter. A condition on a property that the host does not have never holds,
 * whatever its operator; nor does one that holds a null property against a value. Null itself is asked for by
 * `== null` and `!= null`, and a property whose text is "null" counts as null there.
 */
export function matches(filter: Filter, propertyOf: (property: string) => PropertyValue): boolean {
  switch (filter.op) {
    case 'all':
      return true
    case 'and':
      return filter.of.every(one => matches(one, propertyOf))
    case 'or':
      return filter.of.some(one => matches(one, propertyOf))
    case 'not':
      return !matches(filter.of, propertyOf)
    default:
      return holds(filter, propertyOf(filter.property))
  }
}

function holds({ op, value }: Condition, property: PropertyValue): boolean {
  if (property === undefined) return false
  if (value === null) {
    const isNull = property === null || property === 'null'
    return op === '==' ? isNull : op === '!=' && !isNull
  }
  if (property === null) return false
  const [left, right] = [numberOf(property), operandNumber(value, typeof property === 'number')]
  const order =
    left === null || right === null ? byCodePoint(`${property}`, `${value}`) : Math.sign(left - right)
  return operatorHolds[op](order)
}

const operatorHolds: Readonly<Record<Comparison, (order: number) => boolean>> = {
  '==': order => order === 0,
  '!=': order => order !== 0,
  '>=': order => order >= 0,
  '<=': order => order <= 0,
  '>': order => order > 0,
  '<': order => order < 0,
}

/** The texts that count as numbers; PostgreSQL reads this pattern as JavaScript does. */
export const numberPattern = '^-?[0-9]{1,15}([.][0-9]{1,15})?$'
const isNumber = new RegExp(numberPattern)

const numberOf = (side: string | number): number | null =>
  typeof side === 'number' || isNumber.test(side) ? Number(side) : null

/**
 * A condition's value as a number, when it is one. Against a property that is a number, `true` and `false` in
 * upper or lower case are 1 and 0.
 */
export function operandNumber(value: string | number, againstNumber: boolean): number | null {
  if (againstNumber && /^(true|false)$/i.test(`${value}`)) return `${value}`.toLowerCase() === 'true' ? 1 : 0
  return numberOf(value)
}

/**
 * Compares texts as collation "C" of PostgreSQL does; JavaScript compares by the halves of surrogate pairs.
 */
function byCodePoint(left: string, right: string): number {
  let at = 0
  while (at < left.length && left[at] === right[at]) at += 1
  return (left.codePointAt(at) ?? -1) - (right.codePointAt(at) ?? -1)
}

/** The names of the properties in a filter, each once. */
export function propertiesOf(filter: Filter): readonly string[] {
  switch (filter.op) {
    case 'all':
      return []
    case 'and':
    case 'or':
      return [...new Set(filter.of.flatMap(propertiesOf))]
    case 'not':
      return propertiesOf(filter.of)
    default:
      return [filter.property]
  }
}

export function bothOf(a: Filter, b: Filter): Filter {
  if (a.op === 'all') return b
  return b.op === 'all' ? a : { op: 'and', of: [a, b] }
}
