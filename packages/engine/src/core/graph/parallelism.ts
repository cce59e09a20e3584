import type { AttemptSpan } from "./timeline.ts"

/** How much of a task ran at once. Times are milliseconds. */
export interface Parallelism {
  /** The most attempts that ran at one moment. */
  readonly maxRunning: number
  /** How many ran at once, on average over `wallMs`; `null` when nothing ran for any time. */
  readonly averageRunning: number | null
  /** What ran, all attempts added up. */
  readonly busyMs: number
  /** From the first start to the last end. */
  readonly wallMs: number
  /** How much of that passed without any attempt running. */
  readonly idleMs: number
  /** `busyMs / (wallMs × maxRunning)`: 1 when as many ran all the time; `null` when nothing ran for any time. */
  readonly efficiency: number | null
}

/**
 * Measures how many attempts ran at once.
 *
 * @param untilMs - until when attempts without an end ran
 */
export function measureParallelism(attempts: readonly AttemptSpan[], untilMs: number): Parallelism {
  // An attempt that took no time that can be measured ran beside nothing.
  const spans = attempts
    .map(({ startMs, endMs }) => ({ startMs, endMs: Math.max(startMs, endMs ?? untilMs) }))
    .filter(({ startMs, endMs }) => endMs > startMs)
  const starts = spans.map(({ startMs }) => startMs).toSorted((a, b) => a - b)
  const ends = spans.map(({ endMs }) => endMs).toSorted((a, b) => a - b)
  const [first] = starts
  const last = ends.at(-1)
  if (first === undefined || last === undefined) {
    return { maxRunning: 0, averageRunning: null, busyMs: 0, wallMs: 0, idleMs: 0, efficiency: null }
  }
  const { maxRunning, idleMs } = sweep(starts, ends)
  const busyMs = spans.reduce((sum, { startMs, endMs }) => sum + endMs - startMs, 0)
  const wallMs = last - first
  return {
    maxRunning,
    averageRunning: busyMs / wallMs,
    busyMs,
    wallMs,
    idleMs,
    efficiency: busyMs / (wallMs * maxRunning),
  }
}

/** Walks through starts and ends in the order of time, an end before a start of the same moment: that one took its place. */
function sweep(starts: readonly number[], ends: readonly number[]): { maxRunning: number; idleMs: number } {
  let maxRunning = 0
  let idleMs = 0
  let ended = 0
  for (const [started, start] of starts.entries()) {
    let latestEnd = start
    for (let end = ends[ended]; end !== undefined && end <= start; end = ends[ended]) {
      latestEnd = end
      ended += 1
    }
    const running = started - ended
    if (running === 0) idleMs += start - latestEnd
    maxRunning = Math.max(maxRunning, running + 1)
  }
  return { maxRunning, idleMs }
}
