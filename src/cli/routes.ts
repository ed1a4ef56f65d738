// `atoll routes`: every route, from the same tables that serve them.

import { policyOf } from '../compose.ts'
import type { Config } from '../config/config.ts'
import { checkMounts, mounts } from '../mounts.ts'

export function printRoutes(config: Config): void {
  checkMounts(config)
  const rows = mounts(config).flatMap(({ prefix, face }) =>
    face.routes.map(({ method, path, parts, rule }) => [
      method,
      // Two colons stand for one that begins no path parameter.
      `${prefix}${path}`.replaceAll('::', ':'),
      `${parts.parse} > ${parts.view}`,
      parts.verb,
      `${rule} (${policyOf(config, face)[rule]})`,
    ]),
  )
  printTable(['METHOD', 'PATH', 'HANDLER', 'VERB', 'POLICY'], rows)
}

function printTable(head: readonly string[], rows: readonly (readonly string[])[]): void {
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map(row => row[column]!.length)))
  for (const row of [head, ...rows]) {
    console.log(
      row
        .map((cell, column) => cell.padEnd(widths[column]!))
        .join('  ')
        .trimEnd(),
    )
  }
}
