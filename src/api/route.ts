// The parts of a face: routes (parse, one core verb, view), a policy table, and an envelope for errors.

import type { App } from '../core/app.ts'
import type { Caller } from '../core/caller.ts'
import type { AppError } from '../core/error.ts'
import type { PolicyTable } from './policy.ts'
import type { Request } from './request.ts'

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

export interface Route {
  readonly method: Method
  /** Below the mount's prefix; parameters as `:id`. */
  readonly path: string
  /** The rule in the face's policy table. */
  readonly rule: string
  /** What the face says to a caller whom the rule does not let pass. */
  readonly denied: string
  /** The functions' names for `atoll routes`: how the face reads, what core does, how the face answers. */
  readonly parts: { readonly parse: string; readonly verb: string; readonly view: string }
  /** A content type that it answers in beside JSON. */
  readonly alsoAnswers?: string
  /** Which of the face's envelopes this route's errors come in. */
  readonly errors: string
  /** The face's own sentences for core's errors, by reason or code. */
  readonly sentences: Readonly<Record<string, string>>
  /** The caller is null, and no verb is called, where the policy asks for no token. */
  handle(app: App, caller: Caller | null, request: Request): Promise<Answer>
}

export interface Answer {
  readonly status: number
  /** Undefined for an answer without a body; Pieces for one that is too long to be one text, TextStream for one without end. */
  readonly body: unknown
}

/** A route as a face writes it down. */
export interface RouteSpec<Input, Output> extends Omit<Route, 'parts' | 'handle' | 'errors' | 'sentences'> {
  readonly parse: (request: Request) => Input
  /** The verb; null for a route that needs none (a version document). */
  readonly verb: ((app: App, caller: Caller, input: Input) => Promise<Output>) | null
  readonly view: (output: Output, request: Request) => unknown
  readonly status?: number
  readonly errors?: string
  readonly sentences?: Readonly<Record<string, string>>
}

/** Makes a route of its parts: parse the request, call the verb, view what it returned. */
export function route<Input, Output>(spec: RouteSpec<Input, Output>): Route {
  const { parse, verb, view, status = 200, errors = 'default', sentences = {}, ...named } = spec
  return {
    ...named,
    errors,
    sentences,
    parts: { parse: parse.name, verb: verb?.name ?? '-', view: view.name },
    async handle(app, caller, request) {
      const input = parse(request)
      const output = verb ? await verb(app, caller!, input) : (undefined as Output)
      return { status, body: view(output, request) }
    },
  }
}

/** An error and the request that it came up on. */
export interface Problem {
  readonly error: AppError
  /** Null when no route was found. */
  readonly route: Route | null
  readonly method: string
  readonly accept: string | undefined
}

/** What to say: the route's own sentence for this error, or the error's. */
export function sentenceOf({ error, route }: Problem): string {
  const own = route?.sentences ?? {}
  return own[error.detail.reason ?? ''] ?? own[error.code] ?? error.message
}

/** What is known of a request before its body is read. */
export interface Head {
  readonly method: string
  /** The path as the client sent it, without the query. */
  readonly path: string
  header(name: string): string | undefined
}

export interface ErrorAnswer {
  readonly status: number
  readonly contentType: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body: string
}

export interface Face {
  readonly name: string
  /** The type in Keystone's catalog, which access rules of application credentials name. */
  readonly serviceType: string
  readonly policy: PolicyTable
  readonly routes: readonly Route[]
  /** What the face asks of a request's headers, on one of its routes; throws AppError. */
  check(head: Head, route: Route): void
  /** How the face reads bodies, where that is not as JSON up to the server's limit; throws AppError. */
  readonly bodies?: {
    /** The most bytes of a body. */
    readonly limit: number
    read(bytes: Uint8Array, contentType: string | undefined): unknown
  }
  /** Headers of every answer of a route without an error. */
  readonly headers?: Readonly<Record<string, string>>
  /** The face's envelope: the shape and words of an error's answer. */
  describe(problem: Problem): ErrorAnswer
}

/** A face at a prefix. The same face may be mounted at several. */
export interface Mount {
  /**
   * The path before the face's routes. It may have parameters (`:region`), which requests have beside the
   * route's own.
   */
  readonly prefix: string
  readonly face: Face
}
