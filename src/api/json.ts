// The one reader of JSON bodies: strict, bounded, and with line and column in what it says.

import jsonc from 'jsonc-parser'
import { type AppError, malformed } from '../core/error.ts'

export interface JsonLimits {
  /** How deeply arrays and objects may be nested. */
  readonly depth: number
}

/** The limit of nesting, far above what any request body needs. */
export const defaultJsonLimits: JsonLimits = { depth: 64 }

interface Position {
  readonly line: number
  readonly column: number
}

/**
 * Reads a JSON text; undefined for an empty one. Throws `invalid` (malformed) with line and column for bad
 * UTF-8 or JSON, a repeated key, a NUL or half a surrogate pair in a string, a number that cannot be kept
 * exactly, and nesting beyond the limit.
 */
export function readJson(bytes: Uint8Array, limits: JsonLimits = defaultJsonLimits): unknown {
  const text = decode(bytes)
  if (text.trim() === '') return undefined
  const builder = createBuilder(limits)
  jsonc.visit(text, builder.visitor, { disallowComments: true, allowTrailingComma: false })
  return builder.result()
}

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    throw malformed('The body is not UTF-8 text')
  }
}

const refuse = (what: string, at: Position): AppError =>
  malformed(`The body is not acceptable JSON: ${what} at line ${at.line}, column ${at.column}`)

/**
 * Words for the parser's errors; an error that is not listed is a character that no JSON value begins with.
 */
const sentences: Readonly<Record<string, string>> = {
  InvalidNumberFormat: 'a malformed number',
  PropertyNameExpected: 'expected a key in double quotes',
  ValueExpected: 'expected a value',
  ColonExpected: 'expected a colon after the key',
  CommaExpected: 'expected a comma',
  CloseBraceExpected: 'expected a comma or a closing brace',
  CloseBracketExpected: 'expected a comma or a closing bracket',
  EndOfFileExpected: 'expected nothing after the value',
  InvalidCommentToken: 'a comment, which JSON has not,',
  UnexpectedEndOfComment: 'a comment, which JSON has not,',
  UnexpectedEndOfString: 'a string without its closing quote',
  InvalidUnicode: 'a malformed \\u escape',
  InvalidEscapeCharacter: 'an unknown escape',
  InvalidCharacter: 'a control character in a string',
}

type Container = { keys: Set<string>; object: Record<string, unknown> } | { array: unknown[] }

/** Builds the value as the parser meets its parts; containers that are not complete wait on a stack. */
function createBuilder(limits: JsonLimits) {
  const stack: Container[] = []
  let key = ''
  let root: unknown
  /** What the error says was expected, for a character that cannot begin any token. */
  let expected = 'a value'

  const put = (value: unknown): void => {
    const top = stack.at(-1)
    if (!top) root = value
    else if ('array' in top) top.array.push(value)
    // A plain assignment would let a key called __proto__ change the object's prototype.
    else
      Object.defineProperty(top.object, key, { value, enumerable: true, writable: true, configurable: true })
  }
  const afterValue = (): void => {
    const top = stack.at(-1)
    const closing = top && 'array' in top ? 'bracket' : 'brace'
    expected = top ? `a comma or a closing ${closing}` : 'nothing after the value'
  }
  const close = (): void => {
    stack.pop()
    afterValue()
  }
  const open = (container: Container, value: unknown, at: Position): void => {
    if (stack.length >= limits.depth) throw refuse(`more than ${limits.depth} levels of nesting`, at)
    put(value)
    stack.push(container)
  }
  const visitor: jsonc.JSONVisitor = {
    onObjectBegin(_offset, _length, line, column) {
      const object = {}
      open({ keys: new Set(), object }, object, positionAt(line, column))
      expected = 'a key in double quotes'
    },
    onObjectEnd: close,
    onArrayBegin(_offset, _length, line, column) {
      const array: unknown[] = []
      open({ array }, array, positionAt(line, column))
      expected = 'a value'
    },
    onArrayEnd: close,
    onSeparator(character) {
      const isNext = character === ',' && 'keys' in stack.at(-1)!
      expected = isNext ? 'a key in double quotes' : 'a value'
    },
    onObjectProperty(name, _offset, _length, line, column) {
      const top = stack.at(-1) as Extract<Container, { object: unknown }>
      checkText(name, positionAt(line, column))
      if (top.keys.has(name))
        throw refuse(`the key ${JSON.stringify(name)} a second time`, positionAt(line, column))
      top.keys.add(name)
      key = name
      expected = 'a colon after the key'
    },
    onLiteralValue(value, _offset, _length, line, column) {
      if (typeof value === 'string') checkText(value, positionAt(line, column))
      if (typeof value === 'number') checkNumber(value, positionAt(line, column))
      put(value)
      afterValue()
    },
    onError(error, _offset, _length, line, column) {
      throw refuse(
        sentences[jsonc.printParseErrorCode(error)] ?? `expected ${expected}`,
        positionAt(line, column),
      )
    },
  }
  return { visitor, result: () => root }
}

/** The parser counts lines and columns from 0. */
const positionAt = (line: number, column: number): Position => ({ line: line + 1, column: column + 1 })

/**
 * Refuses NUL and lone surrogates: PostgreSQL stores neither in a text, and half a pair is no Unicode at all.
 */
function checkText(value: string, at: Position): void {
  if (value.includes('\0')) throw refuse('a NUL character in a string', at)
  if (!value.isWellFormed()) throw refuse('half of a surrogate pair in a string', at)
}

function checkNumber(value: number, at: Position): void {
  if (!Number.isFinite(value) || (Number.isInteger(value) && !Number.isSafeInteger(value))) {
    throw refuse('a number too large to be kept exactly', at)
  }
}
