// The ledger's contract, kept by the slow model and by PostgreSQL.

import { ledgerContract } from './contract.ts'
import { memoryStore, postgresStore } from './stores.ts'

ledgerContract('The slow model', memoryStore)
ledgerContract('PostgreSQL', () => postgresStore())
