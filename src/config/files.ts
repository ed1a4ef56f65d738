// Checks the files that settings name, before anything is started.

import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createSecureContext } from 'node:tls'
import { type Config, ConfigError, regionSettings } from './config.ts'

export interface ListenerTls {
  readonly cert: string
  readonly key: string
}

/** Throws ConfigError for the first file of authorities, certificates or keys that cannot be used. */
export function checkFiles(config: Config): void {
  const { identity, providers } = config
  const ofRegions = Object.entries(regionSettings(config)).map(
    ([name, { ca_file }]) => [`regions.${name}`, ca_file] as const,
  )
  const all = [['identity', identity.ca_file], ['providers', providers.ca_file], ...ofRegions] as const
  for (const [section, path] of all) if (path !== undefined) checkAuthorities(`${section}.ca_file`, path)
  listenerTls(config)
}

/** The listener's certificate and its key; null where it speaks plain HTTP. Throws ConfigError. */
export function listenerTls({ tls: { cert_file, key_file } }: Config): ListenerTls | null {
  if (cert_file === undefined || key_file === undefined) return null
  const tls = { cert: read('tls.cert_file', cert_file), key: read('tls.key_file', key_file) }
  try {
    createSecureContext(tls)
    return tls
  } catch (error) {
    throw new ConfigError(
      `tls.cert_file ${cert_file} and tls.key_file ${key_file} are no certificate and its private key in PEM: ${(error as Error).message}.`,
    )
  }
}

function checkAuthorities(key: string, path: string): void {
  const text = read(key, path)
  const certificates = text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? []
  try {
    for (const one of certificates) new X509Certificate(one)
    if (certificates.length > 0) return
  } catch {
    // The error below names the file.
  }
  throw new ConfigError(`${key}: ${path} does not hold certificates in PEM.`)
}

function read(key: string, path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw new ConfigError(`${key}: ${path} cannot be read: ${(error as Error).message}.`)
  }
}
