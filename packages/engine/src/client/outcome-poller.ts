import { type Database, isConnectionError } from "../core/database.ts"
import { TaskerError } from "../core/error.ts"
import type { Hints } from "../core/hints.ts"
import { readOutcomes, type TaskOutcome } from "../store/read-outcomes.ts"

/** What somebody who waits for a task is told, once. */
export interface OutcomeListener {
  /** `undefined`: there is no such task. */
  readonly onEnd: (outcome: TaskOutcome | undefined) => void
  readonly onError: (error: Error) => void
}

const FIRST_PAUSE_MS = 25
const LONGEST_PAUSE_MS = 1_000
/** With hints coming all the time, the database rests as long as the last query took, and at least this long. */
const SHORTEST_PAUSE_MS = 5
const IDS_PER_QUERY = 1_000

/**
 * Tells when tasks end, with one query for all that anybody waits for.
 *
 * Asks the database at once when somebody starts to wait and when a hint comes; otherwise after pauses that grow to a second,
 * since hints may be lost. What a worker in this process saw ending is read by itself, and without a pause. While nobody waits
 * it does nothing. A lost connection only makes everybody wait longer.
 */
export class OutcomePoller {
  readonly #database: Database
  readonly #watched = new Map<string, Set<OutcomeListener>>()
  readonly #stopHints: () => void
  #timer: NodeJS.Timeout | undefined
  #dueAt = 0
  #isPolling = false
  #isHinted = false
  readonly #ended = new Set<string>()
  #isReadingEnded = false
  #isClosed = false
  #pauseMs = FIRST_PAUSE_MS
  #restsUntil = 0

  constructor({ database, hints }: { readonly database: Database; readonly hints: Hints }) {
    this.#database = database
    this.#stopHints = hints.on("ended", (taskIds) => {
      if (taskIds === undefined) this.#pollSoon()
      else void this.#readEnded(taskIds)
    })
  }

  /**
   * Waits for a task.
   *
   * @returns a function that stops waiting
   * @throws TaskerError `TASKER_CLOSED`
   */
  watch(taskId: string, listener: OutcomeListener): () => void {
    if (this.#isClosed) throw closed()
    const listeners = this.#watched.get(taskId) ?? new Set()
    this.#watched.set(taskId, listeners.add(listener))
    this.#pollSoon()
    return () => {
      listeners.delete(listener)
      if (listeners.size > 0 || this.#watched.get(taskId) !== listeners) return
      this.#watched.delete(taskId)
      if (this.#watched.size === 0) this.#cancelPoll()
    }
  }

  /** Refuses everybody who waits. May be called twice. */
  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#stopHints()
    this.#cancelPoll()
    this.#rejectAll(closed())
  }

  #pollSoon(): void {
    if (this.#watched.size === 0 || this.#isClosed) return
    this.#pauseMs = FIRST_PAUSE_MS
    if (this.#isPolling) this.#isHinted = true
    else this.#pollAt(Math.max(this.#restsUntil, Date.now()))
  }

  /** Reads those that somebody waits for; what ends meanwhile is read together, after that. */
  async #readEnded(taskIds: readonly string[]): Promise<void> {
    for (const taskId of taskIds) if (this.#watched.has(taskId)) this.#ended.add(taskId)
    if (this.#isReadingEnded) return
    this.#isReadingEnded = true
    while (this.#ended.size > 0 && !this.#isClosed) {
      const ended = [...this.#ended]
      this.#ended.clear()
      try {
        await this.#readAll(ended)
      } catch {
        // Polling finds out what is the matter.
        this.#pollSoon()
      }
    }
    this.#isReadingEnded = false
  }

  #pollAt(time: number): void {
    if (this.#timer !== undefined && this.#dueAt <= time) return
    clearTimeout(this.#timer)
    this.#dueAt = time
    this.#timer = setTimeout(() => void this.#poll(), Math.max(0, time - Date.now()))
  }

  #cancelPoll(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
  }

  async #poll(): Promise<void> {
    this.#timer = undefined
    this.#isPolling = true
    this.#isHinted = false
    const startedAt = Date.now()
    try {
      await this.#readAll([...this.#watched.keys()])
    } catch (error) {
      if (!isConnectionError(error)) this.#rejectAll(error)
    }
    this.#isPolling = false
    this.#restsUntil = Date.now() + Math.max(SHORTEST_PAUSE_MS, Date.now() - startedAt)
    if (this.#watched.size === 0 || this.#isClosed) return
    this.#pollAt(this.#isHinted ? this.#restsUntil : Date.now() + this.#pauseMs)
    this.#pauseMs = Math.min(this.#pauseMs * 2, LONGEST_PAUSE_MS)
  }

  async #readAll(taskIds: readonly string[]): Promise<void> {
    for (let from = 0; from < taskIds.length; from += IDS_PER_QUERY) {
      const asked = taskIds.slice(from, from + IDS_PER_QUERY)
      // Who starts to wait while the answer is under way may do so because the task was retried: the answer is not for them.
      const asking = new Map(asked.map((taskId) => [taskId, this.#watched.get(taskId)]))
      const outcomes = new Map((await readOutcomes(this.#database, asked)).map((outcome) => [outcome.taskId, outcome]))
      for (const taskId of asked) {
        const outcome = outcomes.get(taskId)
        if (this.#watched.get(taskId) !== asking.get(taskId)) continue
        if (outcome === undefined || outcome.stepNames !== null) this.#tell(taskId, outcome)
      }
    }
    if (this.#watched.size === 0) this.#cancelPoll()
  }

  #tell(taskId: string, outcome: TaskOutcome | undefined): void {
    const listeners = this.#watched.get(taskId) ?? []
    this.#watched.delete(taskId)
    for (const listener of listeners) listener.onEnd(outcome)
  }

  #rejectAll(thrown: unknown): void {
    const error = thrown instanceof Error ? thrown : new Error(String(thrown))
    const listeners = [...this.#watched.values()].flatMap((each) => [...each])
    this.#watched.clear()
    for (const listener of listeners) listener.onError(error)
  }
}

function closed(): TaskerError {
  return new TaskerError("TASKER_CLOSED", "this Tasker was closed before the task ended", { hint: "close it later" })
}
