// The reader of a filter's text: JSON without objects, with the position of each part in the text.

import { type AppError, invalid } from '../error.ts'

/** A part of the text, as offsets into it. */
export interface Span {
  readonly at: number
  readonly end: number
}

export interface Leaf extends Span {
  readonly value: string | number | boolean | null
}

export interface List extends Span {
  readonly items: readonly Term[]
}

export type Term = Leaf | List

export interface TextLimits {
  readonly length: number
  /** How deeply lists may be nested. */
  readonly depth: number
}

interface Cursor {
  readonly text: string
  readonly limits: TextLimits
  at: number
}

/** Reads a filter's text as a list; nothing may follow the list. */
export function readList(text: string, limits: TextLimits): List {
  if (text.length > limits.length) {
    throw refuse(text, limits.length, `its end: no more than ${limits.length} characters`)
  }
  const cursor: Cursor = { text, limits, at: 0 }
  take(cursor, blanks)
  if (text[cursor.at] !== '[') throw refuse(text, cursor.at, '[')
  const list = listAt(cursor, 1)
  take(cursor, blanks)
  if (cursor.at < text.length) throw refuse(text, cursor.at, 'nothing after the last ]')
  return list
}

/**
 * The error for a place in a filter's text: what it has there, and what it should have; characters are
 * counted from 1.
 */
export function refuse(text: string, place: Span | number, expected: string): AppError {
  const { at, end } = typeof place === 'number' ? { at: place, end: place + 1 } : place
  // Two units of UTF-16 may be one character.
  const found = typeof place === 'number' ? text.slice(at).match(/^./su)?.[0] : text.slice(at, end)
  const what = found ? shown(found, 40) : 'the end'
  const character = [...text.slice(0, at)].length + 1
  return invalid(
    `Malformed requirements ${shown(text, 80)}: found ${what} at character ${character}, expected ${expected}`,
    'malformed_filter',
  )
}

/** The beginning of a text, without characters that a message cannot hold. */
function shown(text: string, most: number): string {
  const characters = [...text.slice(0, 2 * most + 2)]
  const start = characters.length > most ? `${characters.slice(0, most).join('')}...` : text
  return start.replace(/\p{Cc}|\p{Cs}/gu, character => JSON.stringify(character).slice(1, -1))
}

const blanks = /[ \t\n\r]*/y
const word = /true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y
const escaped = /\\(?:["\\/bfnrt]|u[\da-fA-F]{4})/y

/** Goes past the text that matches the pattern here; a match may be empty. */
function take(cursor: Cursor, pattern: RegExp): string {
  pattern.lastIndex = cursor.at
  const taken = pattern.exec(cursor.text)?.[0] ?? ''
  cursor.at += taken.length
  return taken
}

function listAt(cursor: Cursor, depth: number): List {
  const { text, limits, at } = cursor
  if (depth > limits.depth) throw refuse(text, at, `no more than ${limits.depth} levels of brackets`)
  const items: Term[] = []
  for (;;) {
    // The cursor is at the opening bracket, or at a comma: go past it.
    cursor.at += 1
    take(cursor, blanks)
    if (items.length === 0 && text[cursor.at] === ']') break
    items.push(termAt(cursor, depth))
    take(cursor, blanks)
    if (text[cursor.at] === ']') break
    if (text[cursor.at] !== ',') throw refuse(text, cursor.at, ', or ]')
  }
  cursor.at += 1
  return { at, end: cursor.at, items }
}

function termAt(cursor: Cursor, depth: number): Term {
  const { text, at } = cursor
  if (text[at] === '[') return listAt(cursor, depth + 1)
  if (text[at] === '"') return stringAt(cursor)
  const value = take(cursor, word)
  if (!value) throw refuse(text, at, 'a text in double quotes, a number, true, false, null or [')
  const leaf: Leaf = { at, end: cursor.at, value: JSON.parse(value) }
  if (typeof leaf.value === 'number' && !isExact(leaf.value)) {
    throw refuse(text, leaf, 'a number that can be kept exactly')
  }
  return leaf
}

const isExact = (value: number): boolean =>
  Number.isSafeInteger(value) || (Number.isFinite(value) && !Number.isInteger(value))

function stringAt(cursor: Cursor): Leaf {
  const { text, at } = cursor
  cursor.at += 1
  for (let char = text[cursor.at]; char !== '"'; char = text[cursor.at]) {
    if (char === undefined) throw refuse(text, cursor.at, 'a closing double quote')
    if (char < ' ') throw refuse(text, cursor.at, 'an escape in place of a control character')
    if (char === '\\') skipEscape(cursor)
    else cursor.at += 1
  }
  cursor.at += 1
  const leaf = { at, end: cursor.at, value: JSON.parse(text.slice(at, cursor.at)) as string }
  if (!leaf.value.isWellFormed()) throw refuse(text, leaf, 'a text without halves of surrogate pairs')
  return leaf
}

function skipEscape(cursor: Cursor): void {
  const { text, at } = cursor
  const taken = take(cursor, escaped)
  if (!taken) throw refuse(text, { at, end: at + 2 }, 'one of the escapes of JSON')
  // PostgreSQL keeps the character NUL in no text.
  if (taken === '\\u0000') throw refuse(text, { at, end: at + 6 }, 'any character but NUL')
}
