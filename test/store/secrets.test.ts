// Stored secrets and the key file: one key for all processes, and a clear word when it is another.

import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'
import { openDatabase } from '../../src/store/database.ts'
import { checkKey, loadSecrets } from '../../src/store/secrets.ts'
import { testDatabase } from '../postgres.ts'

const folder = mkdtempSync(join(tmpdir(), 'atoll-key-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const file = (name: string): string => join(folder, name)

describe('the key file', () => {
  it('is made at the first start, for its owner only, and used from then on', () => {
    const sealed = loadSecrets(file('made')).seal('word', 'place')
    expect(statSync(file('made')).mode & 0o777).toBe(0o600)
    expect(loadSecrets(file('made')).open(sealed, 'place')).toBe('word')
  })

  it('that holds no key is refused in one sentence', () => {
    writeFileSync(file('bad'), 'not a key')
    expect(() => loadSecrets(file('bad'))).toThrow(
      `${file('bad')} is no key file of Atoll: it must hold 32 bytes in base64.`,
    )
  })

  it('that cannot be read is refused in one sentence', () => {
    expect(() => loadSecrets(folder)).toThrow(`The key file ${folder} cannot be read: `)
  })
})

describe('a sealed secret', () => {
  const secrets = loadSecrets(file('key'))

  it('opens to what it was, whatever it was, and never shows it', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', minLength: 8 }), text => {
        const sealed = secrets.seal(text, 'place')
        expect(secrets.open(sealed, 'place')).toBe(text)
        expect(sealed).not.toContain(text)
        expect(secrets.seal(text, 'place')).not.toBe(sealed)
      }),
    )
  })

  it('does not open in another place, under another key, or when it was touched', () => {
    const sealed = secrets.seal('word', 'place')
    expect(() => secrets.open(sealed, 'elsewhere')).toThrow(/does not open/)
    expect(() => loadSecrets(file('other')).open(sealed, 'place')).toThrow(/another key/)
    const touched = sealed.slice(0, -4) + (sealed.endsWith('AAA=') ? 'BBB=' : 'AAA=')
    expect(() => secrets.open(touched, 'place')).toThrow(/does not open/)
  })
})

describe('a process', () => {
  it('with another key than the database’s is told which file to copy', async () => {
    const database = await testDatabase()
    const { db, close } = openDatabase(database.url, { connections: 2, name: 'test', onError: () => {} })
    try {
      await checkKey(db, loadSecrets(file('first')), file('first'))
      await checkKey(db, loadSecrets(file('first')), file('first'))
      await expect(checkKey(db, loadSecrets(file('second')), file('second'))).rejects.toThrow(
        `The key file ${file('second')} is not the one that this database's secrets are sealed with`,
      )
      expect(readFileSync(file('first'), 'utf8')).not.toBe(readFileSync(file('second'), 'utf8'))
    } finally {
      await close()
    }
  })
})
