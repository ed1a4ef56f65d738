// Planted into a process before its own program: a store whose `lock` does nothing.

import pg from 'pg'

const { query } = pg.Client.prototype

const isLock = text => text.includes('set locked_by = pg_current_xact_id()')

pg.Client.prototype.query = function (config, ...rest) {
  const text = typeof config === 'string' ? config : (config?.text ?? '')
  if (isLock(text)) return Promise.resolve({ command: 'UPDATE', rowCount: 0, rows: [], fields: [] })
  return query.call(this, config, ...rest)
}
