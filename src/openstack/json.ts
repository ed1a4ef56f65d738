// Reads JSON that came from outside: bounded in depth and in number of values before anything is built of it.

/** The deepest nesting that is read, far deeper than any OpenStack reply. */
const maxDepth = 64

/**
 * The most values that are read: each costs up to some 60 bytes of memory, however few bytes it takes on the
 * wire (`[{},{},…]`).
 */
const maxValues = 500_000

const quote = 0x22
const backslash = 0x5c
const comma = 0x2c
const isOpening = (byte: number): boolean => byte === 0x5b || byte === 0x7b
const isClosing = (byte: number): boolean => byte === 0x5d || byte === 0x7d

/** The value that `bytes` spell. Throws an `Error` with a sentence when they are no JSON or too much of it. */
export function readJson(bytes: Buffer): unknown {
  measure(bytes)
  return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
}

function measure(bytes: Buffer): void {
  let depth = 0
  let values = 0
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at]!
    if (byte === quote) {
      at = endOfString(bytes, at)
    } else if (isOpening(byte)) {
      values++
      if (++depth > maxDepth) throw new Error(`JSON nested deeper than ${maxDepth}`)
    } else if (isClosing(byte)) {
      depth--
    } else if (byte === comma) {
      values++
    }
  }
  if (values > maxValues) throw new Error(`JSON of more than ${maxValues} values`)
}

function endOfString(bytes: Buffer, from: number): number {
  let at = from + 1
  while (at < bytes.length && bytes[at] !== quote) at += bytes[at] === backslash ? 2 : 1
  return at
}
