import type { QueueMeasure, Tasker } from "@tasker/engine"

/** How long what was read is shown again: several gauges, and several scrapers, need one statement. */
const FRESH_MS = 1_000

export interface QueueReaderOptions {
  /** How far to count the steps of a queue. */
  readonly countLimit: number
  readonly timeoutMs: number
  readonly onFailure: () => void
}

/**
 * Makes what measures the queues for a scrape: at most once a second, and never two times at once, so that a database
 * which does not answer is not asked by every scrape anew.
 *
 * @returns what there is now, or nothing when the database did not say in time: no value is better than an old one
 */
export function createQueueReader(
  tasker: Pick<Tasker, "measureQueues">,
  { countLimit, timeoutMs, onFailure }: QueueReaderOptions,
): () => Promise<readonly QueueMeasure[]> {
  let asked: Promise<readonly QueueMeasure[] | undefined> | undefined
  let last: Promise<readonly QueueMeasure[]> | undefined
  let freshUntil = 0

  async function read(): Promise<readonly QueueMeasure[]> {
    asked ??= tasker.measureQueues({ countLimit }).then(
      (queues) => queues,
      () => undefined,
    )
    const question = asked
    void question.then(() => (asked = undefined))
    const answer = await within(question, timeoutMs)
    if (answer === undefined) onFailure()
    return answer ?? []
  }

  return () => {
    const now = performance.now()
    if (last === undefined || now >= freshUntil) {
      last = read()
      freshUntil = now + FRESH_MS
    }
    return last
  }
}

async function within<T>(work: Promise<T>, timeoutMs: number): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined
  const timeout = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), timeoutMs)
  })
  try {
    return await Promise.race([work, timeout])
  } finally {
    clearTimeout(timer)
  }
}
