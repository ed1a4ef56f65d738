// Exchanges with the originals as they were recorded, played again.

import { playExamples, readExamples } from '../examples.ts'

const settings = { ATOLL_IDENTITY_WWW_AUTHENTICATE_URI: 'http://ks/identity' }
playExamples(readExamples(new URL('.', import.meta.url)), { settings })
