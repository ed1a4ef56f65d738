// The port to an identity service: whose a token is, and where services are.

export interface AccessRule {
  readonly service: string
  readonly method: string
  /** The segments of a path: `*` and `{name}` stand for one segment, `**` for any number. */
  readonly path: string
}

/** A valid token, as the identity service describes it. */
export interface Token {
  readonly userId: string
  readonly userName: string
  readonly projectId: string | null
  readonly projectName: string | null
  readonly roles: readonly string[]
  readonly expiresAt: Date
  /** Service types in the token's catalog. */
  readonly serviceTypes: readonly string[]
  /**
   * The rules of an application credential that is restricted to some requests; null when it is not
   * restricted.
   */
  readonly accessRules: readonly AccessRule[] | null
}

export interface Identity {
  /**
   * Describes a token; null when it is not valid (unknown, expired, revoked). With `allowExpired` a token
   * that only ran out is described too. Throws `unavailable` when the identity service gives no answer.
   */
  validate(token: string, options: { allowExpired: boolean; requestId: string }): Promise<Token | null>
}

/** One public endpoint of a service in a region. */
export interface Endpoint {
  readonly region: string
  readonly serviceType: string
  readonly url: string
}
