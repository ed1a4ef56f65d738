// Answers without an end: texts that are sent as they come, for as long as the client listens and may.

import { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Caller } from '../core/caller.ts'
import { AppError, unavailable } from '../core/error.ts'

/** Whoever listens, as it is now: it is asked anew all the time. */
export interface Listening {
  readonly caller: Caller
  readonly isOver: boolean
  /** Returns after so long, or at once when it is over. */
  pause(ms: number): Promise<void>
}

/** A body that goes on and on. The next text is asked for when the client has taken the one before. */
export class TextStream {
  readonly contentType: string
  readonly texts: (listening: Listening) => AsyncIterable<string>

  constructor(contentType: string, texts: (listening: Listening) => AsyncIterable<string>) {
    this.contentType = contentType
    this.texts = texts
  }
}

export interface StreamsOptions {
  /** How many may be open at once. */
  readonly most: number
  onError(error: unknown): void
}

/** How often it is looked whether the one who listens still may. */
const checkMs = 1_000
/** A stream that is over ends by itself, unless its client takes nothing. */
const endMs = 1_000

export class Streams {
  readonly #options: StreamsOptions
  readonly #open = new Set<() => void>()

  constructor(options: StreamsOptions) {
    this.#options = options
  }

  /**
   * What the stream has to say, until `who` refuses (it is asked every second), the client goes or all are closed.
   * Throws `unavailable` when there are as many as may be.
   */
  open({ texts }: TextStream, caller: Caller, who: () => Promise<Caller>): Readable {
    const { most } = this.#options
    if (this.#open.size >= most)
      throw unavailable(
        `There are ${most} streams already, which is the most: ask without one, or again later`,
      )
    const ended = new AbortController()
    const state = { caller }
    const listening: Listening = {
      get caller() {
        return state.caller
      },
      get isOver() {
        return ended.signal.aborted
      },
      pause: ms => sleep(ms, undefined, { signal: ended.signal }).catch(() => {}),
    }
    const body = Readable.from(this.#until(texts(listening)))
    const end = (): void => {
      ended.abort()
      setTimeout(() => body.destroy(), endMs).unref()
    }
    const check = setInterval(async () => {
      // Whoever destroys the body for a client that is gone waits for the texts to end before it is closed.
      if (body.destroyed) return end()
      try {
        state.caller = await who()
      } catch {
        end()
      }
    }, checkMs).unref()
    this.#open.add(end)
    body.once('close', () => {
      clearInterval(check)
      ended.abort()
      this.#open.delete(end)
    })
    return body
  }

  closeAll(): void {
    for (const end of this.#open) end()
  }

  /** The answer has begun: an error can only end it. Clients ask again, and are told what is wrong. */
  async *#until(texts: AsyncIterable<string>): AsyncIterable<string> {
    try {
      yield* texts
    } catch (error) {
      if (!(error instanceof AppError)) this.#options.onError(error)
    }
  }
}
