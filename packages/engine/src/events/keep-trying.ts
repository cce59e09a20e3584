import { isConnectionError } from "../core/database.ts"
import { ERROR_CODES, isTaskerError } from "../core/error.ts"
import type { Logger } from "../core/logger.ts"
import { pause, unlessAborted } from "./abortable.ts"

const FIRST_PAUSE_MS = 100
const LONGEST_PAUSE_MS = 5_000

export interface TryingOptions {
  /** Ends it: what is under way then is not waited for. */
  readonly signal: AbortSignal
  readonly logger: Logger
  /** Who tries, for the log. */
  readonly who: Readonly<Record<string, unknown>>
}

/**
 * Asks the database for something, and asks again while it is away, at longer and
 * longer intervals.
 *
 * @returns its answer; `undefined` once the signal is aborted
 * @throws whatever else goes wrong
 */
export async function keepTrying<T>(ask: () => Promise<T>, options: TryingOptions): Promise<T | undefined> {
  const { signal, logger, who } = options
  for (let failures = 0; !signal.aborted; failures++) {
    try {
      const answer = await unlessAborted(ask(), signal)
      if (failures > 0 && !signal.aborted) logger.info(who, "the database is back")
      return answer
    } catch (error) {
      if (!isPassing(error)) throw error
      if (failures === 0)
        logger.warn({ ...who, error: String(error) }, "the database is away; it is asked until it is back")
    }
    await pause(Math.min(FIRST_PAUSE_MS * 2 ** failures, LONGEST_PAUSE_MS), signal)
  }
  return undefined
}

function isPassing(error: unknown): boolean {
  return isConnectionError(error) || (isTaskerError(error) && ERROR_CODES[error.code].retryable)
}
