// The filter language: what can be said in it, what is refused and where, and what it means.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { AppError } from '../error.ts'
import { bothOf, type Filter, matches, type PropertyValue, parseFilter, propertiesOf } from './filter.ts'
import { readList, type Term } from './filter-text.ts'

const vcpus = { op: '>=', property: 'vcpus', value: 4 } as const
const gpu = { op: '==', property: 'gpu', value: 'v100' } as const

describe('a filter may be', () => {
  it.each<[string, Filter]>([
    ['', { op: 'all' }],
    ['[]', { op: 'all' }],
    [' [ ]\n', { op: 'all' }],
    ['["==", "$gpu", "v100"]', gpu],
    ['["=", "$gpu", "v100"]', gpu],
    ['["!=","$gpu","v100"]', { ...gpu, op: '!=' }],
    ['[">=", "$vcpus", 4]', vcpus],
    ['["<=", "$vcpus", "4"]', { op: '<=', property: 'vcpus', value: '4' }],
    ['[">", "$load", -0.5e-1]', { op: '>', property: 'load', value: -0.05 }],
    ['["<", "$a b", " c  d "]', { op: '<', property: 'a b', value: ' c  d ' }],
    ['["==", "$$", "$"]', { op: '==', property: '$', value: '$' }],
    ['["==", "$\\n", "\\u00e9\\ud83d\\ude00\\/"]', { op: '==', property: '\n', value: 'é😀/' }],
    ['["==", "$a", null]', { op: '==', property: 'a', value: null }],
    ['["!=", "$a", "null"]', { op: '!=', property: 'a', value: null }],
    ['["==", "$a", "NULL"]', { op: '==', property: 'a', value: 'NULL' }],
    ['["==", "$a", true]', { op: '==', property: 'a', value: 'true' }],
    ['["==", "$a", false]', { op: '==', property: 'a', value: 'false' }],
    ['["and", [">=", "$vcpus", 4]]', { op: 'and', of: [vcpus] }],
    [
      '["or", [">=", "$vcpus", 4], ["and", ["==", "$gpu", "v100"], ["not", ["==", "$gpu", "v100"]]]]',
      { op: 'or', of: [vcpus, { op: 'and', of: [gpu, { op: 'not', of: gpu }] }] },
    ],
  ])('%s', (text, filter) => expect(parseFilter(text)).toEqual(filter))

  it('as long and as deep as the limits say', () => {
    const deep = `${'["not",'.repeat(19)}[">=","$vcpus",4]${']'.repeat(19)}`
    expect(parseFilter(deep)).toMatchObject({ op: 'not' })
    expect(parseFilter(`["==","$a","${'x'.repeat(8192 - 14)}"]`)).toMatchObject({ op: '==' })
  })
})

const refusal = (text: string): string => {
  try {
    parseFilter(text)
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    expect([error.code, error.detail]).toEqual(['invalid', { reason: 'malformed_filter' }])
    return error.message
  }
  return 'no refusal'
}
const operators = 'one of == != >= <= > < = and or not'
const condition = 'a condition in brackets'
const key = 'the name of a property after a $, such as "$vcpus"'
const value = 'a text that is not empty, a number, true, false or null'
const term = 'a text in double quotes, a number, true, false, null or ['

describe('a refusal says what was found where, and what was expected', () => {
  it.each<[string, string, number, string]>([
    // No list.
    [' ', 'the end', 2, '['],
    ['""', '"', 1, '['],
    ['{"a": 1}', '{', 1, '['],
    ['hello', 'h', 1, '['],
    ['null', 'n', 1, '['],
    ['\ufeff[]', '\ufeff', 1, '['],
    // No JSON.
    ['[', 'the end', 2, term],
    ['["==", "$a", "b"', 'the end', 17, ', or ]'],
    ['["==", "$a", "b', 'the end', 16, 'a closing double quote'],
    ['["==", "$a" "b"]', '"', 13, ', or ]'],
    ['["==", "$a", "b",]', ']', 18, term],
    ['[,"$a", "b"]', ',', 2, term],
    ["['==', '$a', 'b']", "'", 2, term],
    ['["==", "$a", {}]', '{', 14, term],
    ['["==", "$a", True]', 'T', 14, term],
    ['["==", "$a", nulls]', 's', 18, ', or ]'],
    ['["==", "$a", 01]', '1', 15, ', or ]'],
    ['["==", "$a", .5]', '.', 14, term],
    ['["==", "$a", 1.]', '.', 15, ', or ]'],
    ['["==", "$a", +1]', '+', 14, term],
    ['["==", "$a", NaN]', 'N', 14, term],
    ['["==", "$a", 1e400]', '1e400', 14, 'a number that can be kept exactly'],
    ['["==", "$a", 9007199254740993]', '9007199254740993', 14, 'a number that can be kept exactly'],
    ['["==", "$a", "b"] x', 'x', 19, 'nothing after the last ]'],
    ['[][]', '[', 3, 'nothing after the last ]'],
    ['["==", "$a", "\\x"]', '\\x', 15, 'one of the escapes of JSON'],
    ['["==", "$a", "\\u12g4"]', '\\u', 15, 'one of the escapes of JSON'],
    ['["==", "$a", "b\\u0000"]', '\\u0000', 16, 'any character but NUL'],
    ['["==", "$a", "\\ud800"]', '"\\ud800"', 14, 'a text without halves of surrogate pairs'],
    ['["😀", "$a", "b"]', '"😀"', 2, operators],
    ['["==", "$😀", ""]', '""', 14, value],
    // No filter.
    ['[[]]', '[]', 2, operators],
    ['["==="]', '"==="', 2, operators],
    ['["in", "$a", "b"]', '"in"', 2, operators],
    ['["AND", ["==", "$a", "b"]]', '"AND"', 2, operators],
    ['[1, "$a", "b"]', '1', 2, operators],
    ['["$a", "==", "b"]', '"$a"', 2, operators],
    ['["=="]', ']', 6, key],
    ['["==", "a", "b"]', '"a"', 8, key],
    ['["==", "$", "b"]', '"$"', 8, key],
    ['["==", ["==", "$a", "b"], "b"]', '["==", "$a", "b"]', 8, key],
    ['["==", null, "b"]', 'null', 8, key],
    ['["==", "$a"]', ']', 12, value],
    ['["==", "$a", ""]', '""', 14, value],
    ['["==", "$a", ["b"]]', '["b"]', 14, value],
    ['["==", "$a", "b", "c"]', '"c"', 19, ']: a condition has one value'],
    ['["and"]', ']', 7, condition],
    ['["or", ]', ']', 8, term],
    ['["or", ["==", "$a", "b"], "$b"]', '"$b"', 27, condition],
    ['["and", []]', ']', 10, operators],
    ['["and", "$a", "b"]', '"$a"', 9, condition],
    ['["not"]', ']', 7, condition],
    ['["not", "$a"]', '"$a"', 9, condition],
    ['["not", ["==", "$a", 1], ["==", "$b", 2]]', '["==", "$b", 2]', 26, ']: not takes one condition'],
    ['["or", ["and", ["==", "$a", "b"], ["~", "$c", "d"]]]', '"~"', 36, operators],
  ])('%s', (text, found, character, expected) => {
    expect(refusal(text)).toBe(
      `Malformed requirements ${text}: found ${found} at character ${character}, expected ${expected}`,
    )
  })

  it('and shows no control characters and no halves of pairs', () => {
    expect(refusal('["==",\n"$a", "b\tc"]')).toBe(
      'Malformed requirements ["==",\\n"$a", "b\\tc"]: found \\t at character 16, expected an escape in place of a control character',
    )
    expect(refusal('["\ud800", "$a"]')).toBe(
      'Malformed requirements ["\\ud800", "$a"]: found "\\ud800" at character 2, expected a text without halves of surrogate pairs',
    )
  })

  it('and shows long texts by their beginning', () => {
    const name = 'x'.repeat(100)
    expect(refusal(`["==", "${name}", 1]`)).toBe(
      `Malformed requirements ["==", "${'x'.repeat(72)}...: found "${'x'.repeat(39)}... at character 8, expected ${key}`,
    )
    expect(refusal(`["${'😀'.repeat(100)}"]`)).toBe(
      `Malformed requirements ["${'😀'.repeat(78)}...: found "${'😀'.repeat(39)}... at character 2, expected ${operators}`,
    )
  })

  it('and which limit was passed', () => {
    expect(refusal('['.repeat(8192))).toBe(
      `Malformed requirements ${'['.repeat(80)}...: found [ at character 21, expected no more than 20 levels of brackets`,
    )
    expect(refusal('['.repeat(8193))).toBe(
      `Malformed requirements ${'['.repeat(80)}...: found [ at character 8193, expected its end: no more than 8192 characters`,
    )
  })
})

const plain = (read: Term): unknown => ('items' in read ? read.items.map(plain) : read.value)
/** Pieces of filters, in any order and number. */
const pieces = fc
  .array(
    fc.constantFrom(
      ...['[', ']', ',', ' ', '"', '"=="', '"$a"', '"b"', '"and"', '"not"', '1', '-', '.', 'e', '0', 'true'],
      ...['null', '\\', '\\n', '\\u00', 'é', '😀', '\n', '\0', '{', '["==", "$a", 1]', '["or", '],
    ),
    { maxLength: 12 },
  )
  .map(all => all.join(''))

describe('any text', () => {
  it('is a filter, or is refused at one of its characters', () => {
    const text = fc.oneof(
      pieces,
      pieces.map(piece => `[${piece}]`),
      fc.string({ unit: 'binary' }),
    )
    const property = fc.property(text, some => {
      const message = refusal(some)
      if (message === 'no refusal') return some === '' || Array.isArray(JSON.parse(some))
      const character = Number(/ at character (\d+), expected /.exec(message)?.[1])
      return character >= 1 && character <= [...some].length + 1 && message.isWellFormed()
    })
    fc.assert(property, { numRuns: 5000 })
  })

  it('of JSON is read as JavaScript reads it', () => {
    const { list } = fc.letrec(tie => ({
      list: fc.array(tie('term'), { maxLength: 4 }),
      term: fc.oneof(
        { maxDepth: 4 },
        fc.string({ unit: 'binary' }).map(some => some.replaceAll('\0', '')),
        fc.maxSafeInteger(),
        fc.double({ min: -1, max: 1, noNaN: true }),
        fc.boolean(),
        fc.constant(null),
        tie('list'),
      ),
    }))
    const property = fc.property(list, fc.nat(3), (some, indent) => {
      const text = JSON.stringify(some, null, indent)
      expect(plain(readList(text, { length: 1e6, depth: 100 }))).toEqual(JSON.parse(text))
    })
    fc.assert(property)
  })
})

/** Whether a property of this value is what `[op, "$a", operand]` asks for. */
const holds = (property: PropertyValue, op: string, operand: unknown): boolean =>
  matches(parseFilter(JSON.stringify([op, '$a', operand])), name => (name === 'a' ? property : undefined))
const all = ['==', '!=', '>=', '<=', '>', '<']
const holding = (property: PropertyValue, operand: unknown): string =>
  all.filter(op => holds(property, op, operand)).join(' ')

describe('a condition compares', () => {
  it.each<[string, PropertyValue, unknown, string]>([
    ['numbers', 8, 8, '== >= <='],
    ['numbers', 9, 27, '!= <= <'],
    ['numbers that are texts', '9', '27', '!= <= <'],
    ['a number and a text that is one', 27, '9', '!= >= >'],
    ['a text that is a number and a number', '027.0', 27, '== >= <='],
    ['negative numbers', '-9', '-27', '!= >= >'],
    ['zeros', '-0', 0, '== >= <='],
    ['fractions', '0.5', '0.25', '!= >= >'],
    ['numbers to the precision of JavaScript', '0.100000000000001', 0.1, '!= >= >'],
    ['texts', 'b', 'a', '!= >= >'],
    ['texts in upper and lower case', 'A', 'a', '!= <= <'],
    ['texts of which one begins the other', 'ab', 'a', '!= >= >'],
    ['texts with blanks', ' 9', '27', '!= <= <'],
    ['a number and a text that is none', 8, 'eight', '!= <= <'],
    ['texts of too many digits to be numbers', '1234567890123456', '9', '!= <= <'],
    ['texts of which one is a number', '1e3', '1000', '!= >= >'],
    ['the digits of other scripts as texts', '٣', '4', '!= >= >'],
    ['a text with a line break after its digits as text', '9\n', '27', '!= >= >'],
    ['texts by code point', '😀', '\uffff', '!= >= >'],
    ['the second halves of pairs', '😁', '😀', '!= >= >'],
    ['the empty text', '', 'a', '!= <= <'],
    ['a flag that is a number with true', 1, true, '== >= <='],
    ['a flag that is a number with False', 1, 'False', '!= >= >'],
    ['a flag that is a text as text', 'True', true, '!= <= <'],
    ['a flag that is the same text', 'true', true, '== >= <='],
    ['null with null', null, null, '=='],
    ['null with the text "null"', null, 'null', '=='],
    ['a text "null" with null', 'null', null, '=='],
    ['a text with null', 'a', null, '!='],
    ['an empty text with null', '', null, '!='],
    ['a number with null', 0, null, '!='],
    ['null with a text', null, 'a', ''],
    ['null with a number', null, 0, ''],
    ['what is not there with a text', undefined, 'a', ''],
    ['what is not there with null', undefined, null, ''],
  ])('%s: %j with %j', (_what, property, operand, expected) =>
    expect(holding(property, operand)).toBe(expected),
  )
})

const values: Record<string, PropertyValue> = { vcpus: 8, gpu: 'v100' }
const meets = (text: string): boolean => matches(parseFilter(text), name => values[name])

describe('a filter', () => {
  it('of no condition matches every host', () => expect([meets(''), meets('[]')]).toEqual([true, true]))

  it('of and asks for all', () => {
    expect(meets('["and", [">=", "$vcpus", 8], ["==", "$gpu", "v100"], ["<", "$vcpus", 9]]')).toBe(true)
    expect(meets('["and", [">=", "$vcpus", 8], ["==", "$gpu", "v100"], ["<", "$vcpus", 8]]')).toBe(false)
  })

  it('of an and within an and asks for all of it', () => {
    expect(meets('["and", [">", "$vcpus", 1], ["and", [">", "$vcpus", 2], [">", "$vcpus", 9]]]')).toBe(false)
  })

  it('of or asks for one', () => {
    expect(meets('["or", [">", "$vcpus", 8], ["==", "$gpu", "v100"]]')).toBe(true)
    expect(meets('["or", [">", "$vcpus", 8], ["==", "$gpu", "a100"]]')).toBe(false)
  })

  it('of not asks for the contrary, also of a property that is not there', () => {
    expect(meets('["not", ["==", "$gpu", "v100"]]')).toBe(false)
    expect(meets('["not", ["==", "$ssd", "yes"]]')).toBe(true)
    expect(meets('["not", ["!=", "$ssd", "yes"]]')).toBe(true)
  })
})

describe('the properties of a filter', () => {
  it('are its names, each once', () => {
    const text =
      '["or", ["==", "$b", 1], ["not", ["and", ["==", "$a", 1], ["!=", "$b", 2]]], ["<", "$__proto__", 1]]'
    expect(propertiesOf(parseFilter(text))).toEqual(['b', 'a', '__proto__'])
    expect(propertiesOf({ op: 'all' })).toEqual([])
  })
})

describe('both of two filters', () => {
  it('is an and, of those that ask for something', () => {
    expect(bothOf(vcpus, gpu)).toEqual({ op: 'and', of: [vcpus, gpu] })
    expect(bothOf({ op: 'all' }, gpu)).toBe(gpu)
    expect(bothOf(vcpus, { op: 'all' })).toBe(vcpus)
    expect(bothOf({ op: 'all' }, { op: 'all' })).toEqual({ op: 'all' })
  })
})
