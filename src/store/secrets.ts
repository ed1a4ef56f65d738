// Stored secrets: sealed with AES-256-GCM under a key that lives in a file, never in the database.

import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto'
import { linkSync, mkdirSync, readFileSync, unlinkSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { AppError, invalid } from '../core/error.ts'
import type { Db } from './database.ts'
import { storeOnce } from './settings.ts'

export interface Secrets {
  /** Encrypts a text for one place (`provider:ID:password`); it opens in no other. */
  seal(text: string, place: string): string
  /**
   * Decrypts a text. Throws `internal` for one that was sealed under another key or for another place, or was
   * tampered with.
   */
  open(sealed: string, place: string): string
}

/** Reads the key file, and makes one when there is none; throws `invalid` for a file that holds no key. */
export function loadSecrets(path: string): Secrets {
  const key = Buffer.from(readKey(path), 'base64')
  if (key.length !== 32) throw invalid(`${path} is no key file of Atoll: it must hold 32 bytes in base64.`)
  return createSecrets(key)
}

function readKey(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') {
      throw invalid(`The key file ${path} cannot be read: ${(error as Error).message}.`)
    }
  }
  mkdirSync(dirname(path), { recursive: true })
  // The key is written to a draft and then linked: another process, or one after a crash, never finds half a
  // key.
  const draft = `${path}.${randomBytes(6).toString('hex')}`
  writeFileSync(draft, `${randomBytes(32).toString('base64')}\n`, { mode: 0o600, flag: 'wx' })
  try {
    linkSync(draft, path)
  } catch (error) {
    // EEXIST: another process has made the key file first.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  } finally {
    unlinkSync(draft)
  }
  return readFileSync(path, 'utf8').trim()
}

export function createSecrets(key: Buffer): Secrets {
  const keyId = createHash('sha256').update(key).digest('hex').slice(0, 8)
  return {
    seal(text, place) {
      const nonce = randomBytes(12)
      const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(place))
      const sealed = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()])
      return ['1', keyId, ...[nonce, cipher.getAuthTag(), sealed].map(part => part.toString('base64'))].join(
        '.',
      )
    },

    open(sealed, place) {
      const [version, id, ...parts] = sealed.split('.')
      const [nonce, tag, text] = parts.map(part => Buffer.from(part, 'base64'))
      if (version !== '1' || id !== keyId || !nonce || !tag || !text) {
        throw new AppError(
          'internal',
          `A stored secret (${place}) was sealed under another key than this process has`,
        )
      }
      const decipher = createDecipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(place)).setAuthTag(tag)
      try {
        return Buffer.concat([decipher.update(text), decipher.final()]).toString('utf8')
      } catch (cause) {
        throw new AppError('internal', `A stored secret (${place}) does not open`, {}, { cause })
      }
    },
  }
}

const canary = 'key_check'

/**
 * Makes sure that this process has the key that the others seal with: the first one leaves a sealed word in the
 * database. Throws `invalid` when it does not open.
 */
export async function checkKey(db: Db, secrets: Secrets, path: string): Promise<void> {
  const sealed = await storeOnce(db, canary, secrets.seal(canary, canary))
  try {
    secrets.open(sealed, canary)
  } catch (cause) {
    throw new AppError(
      'invalid',
      `The key file ${path} is not the one that this database's secrets are sealed with: copy that file here, or name it in key_file (ATOLL_KEY_FILE).`,
      {},
      { cause },
    )
  }
}
