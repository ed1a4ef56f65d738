// Streams: answers without an end, sent text by text for as long as the client listens and is allowed to.

import { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Caller } from '../core/caller.ts'
import { AppError, unavailable } from '../core/error.ts'

/** The listener of a stream; its caller is authenticated anew every second. */
export interface Listening {
  readonly caller: Caller
  readonly isOver: boolean
  /** Returns after so long, or at once when the stream is over. */
  pause(ms: number): Promise<void>
}

/** The body of a stream. The next text is asked for when the client has taken the one before. */
export class TextStream {
  readonly contentType: string
  readonly texts: (listening: Listening) => AsyncIterable<string>

  constructor(contentType: string, texts: (listening: Listening) => AsyncIterable<string>) {
    this.contentType = contentType
    this.texts = texts
  }
}

export interface StreamsOptions {
  /** The most streams that may be open at once. */
  readonly most: number
  onError(error: unknown): void
}

/** How often a listener's token and rights are checked. */
const checkMs = 1_000
/**
 * How long a stream that is over may take to end by itself, before it is cut off: its client may take
 * nothing.
 */
const endMs = 1_000

export class Streams {
  readonly #options: StreamsOptions
  readonly #open = new Set<() => void>()

  constructor(options: StreamsOptions) {
    this.#options = options
  }

  /**
   * The texts of a stream, until `who` refuses the caller (it is asked every second), the client goes or all
   * streams are closed. Throws `unavailable` when the most streams are open.
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
      // When the client is gone, Node destroys the body but waits for the texts to end before it closes it;
      // so they are ended here.
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

  /**
   * Ends the stream on an error, since the answer has begun already. Clients ask again, and are told what is
   * wrong.
   */
  async *#until(texts: AsyncIterable<string>): AsyncIterable<string> {
    try {
      yield* texts
    } catch (error) {
      if (!(error instanceof AppError)) this.#options.onError(error)
    }
  }
}
