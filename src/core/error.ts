// The one error of Atoll: a code that every face maps to a status, a sentence for people, and what is known.

export type ErrorCode =
  | 'invalid'
  | 'unauthenticated'
  | 'forbidden'
  | 'not_found'
  | 'conflict'
  | 'no_capacity'
  | 'upstream'
  | 'unavailable'
  | 'internal'

export interface ErrorDetail {
  /** A stable word for what exactly was refused; a face may have its own sentence for it. */
  readonly reason?: string
  /** The request could not be read at all (bad JSON, a wrong type), whatever it asked for. */
  readonly malformed?: boolean
  /** The policy rule that said no, and the least persona that it would let pass. */
  readonly rule?: string
  readonly needs?: string
  /** Of an `upstream` error: where it came from and what was answered. */
  readonly region?: string
  readonly service?: string
  readonly status?: number
  /** Of a `conflict`: the claims that are in the way, the first of them at least. */
  readonly claims?: readonly string[]
  /** Of a `conflict` over what is missing in a region: how many of each kind are. */
  readonly missing?: Readonly<Record<string, number>>
  /** Of a `no_capacity` error: what would do instead. */
  readonly offer?: object
}

/** Whatever else is thrown is `internal`: logged with the request id, never shown. */
export class AppError extends Error {
  readonly code: ErrorCode
  readonly detail: ErrorDetail

  constructor(code: ErrorCode, message: string, detail: ErrorDetail = {}, options?: { cause?: unknown }) {
    super(message, options)
    this.name = 'AppError'
    this.code = code
    this.detail = detail
  }
}

/** The request breaks a rule of what may be asked. */
export const invalid = (message: string, reason?: string): AppError =>
  new AppError('invalid', message, reason ? { reason } : {})

/** The request could not be read: bad JSON, a wrong type, a repeated parameter. */
export const malformed = (message: string): AppError => new AppError('invalid', message, { malformed: true })

export const notFound = (message: string, reason?: string): AppError =>
  new AppError('not_found', message, reason ? { reason } : {})

export const conflict = (message: string, reason?: string): AppError =>
  new AppError('conflict', message, reason ? { reason } : {})

/** Something that Atoll itself needs (database, Keystone) does not answer now. */
export const unavailable = (message: string, cause?: unknown): AppError =>
  new AppError('unavailable', message, {}, { cause })

/** Whether a region has said no for certain: nothing was done there, and asking again would be in vain. */
export const isRefusal = (error: unknown): error is AppError =>
  error instanceof AppError && error.code === 'upstream' && (error.detail.status ?? 500) < 500
