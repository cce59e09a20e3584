import { isSpanContextValid, trace, TraceFlags } from "@opentelemetry/api"
import { type Sampler, SamplingDecision, TraceIdRatioBasedSampler } from "@opentelemetry/sdk-trace-base"

/** Which traces are recorded. */
export interface SamplingOptions {
  /**
   * The share of traces that is recorded, from 0 to 1. Decided by the trace's id, so that all processes with the same
   * ratio decide alike.
   *
   * Default: 1.
   */
  readonly ratio?: number | undefined
  /**
   * How many traces this process begins to record in a second at most; `null`: as many as there are. It bounds what
   * tracing costs a process under load: to record and send a step's span takes about as much CPU time as a worker needs for
   * the step itself.
   *
   * Default: 10.
   */
  readonly maxTracesPerSecond?: number | null | undefined
}

export const DEFAULT_TRACES_PER_SECOND = 10

/** Of how many tasks without a creator's context the decision is kept. */
const KEPT_DECISIONS = 10_000

/**
 * Decides about whole traces: where one begins, by ratio and rate; everywhere else, as was decided there.
 *
 * Steps of a task that was created without tracing have a parent that nobody decided about: the trace has the id of
 * the task. There the ratio gives the same answer in every process. The rate is this process's own, and is asked once
 * for each such task; so above the rate, of a task that several processes run some steps may be recorded and others not.
 *
 * @param now - the clock, in milliseconds; only differences matter
 */
export function createTraceSampler(options: SamplingOptions, now: () => number): Sampler {
  const { ratio = 1, maxTracesPerSecond = DEFAULT_TRACES_PER_SECOND } = options
  const byRatio = ratio === 1 ? undefined : new TraceIdRatioBasedSampler(ratio)
  const mayBegin = maxTracesPerSecond === null ? () => true : createRateLimit(maxTracesPerSecond, now)
  const decisions = new Map<string, boolean>()

  function decideOnce(traceId: string): boolean {
    const known = decisions.get(traceId)
    if (known !== undefined) return known
    const decision = mayBegin()
    decisions.set(traceId, decision)
    if (decisions.size > KEPT_DECISIONS) {
      const [oldest = ""] = decisions.keys()
      decisions.delete(oldest)
    }
    return decision
  }

  return {
    shouldSample(context, traceId, _name, _kind, attributes) {
      const parent = trace.getSpanContext(context)
      const isRoot = parent === undefined || !isSpanContextValid(parent)
      if (!isRoot && !isOwnTrace(traceId, attributes["tasker.task.id"])) {
        return (parent.traceFlags & TraceFlags.SAMPLED) === 0 ? DROPPED : RECORDED
      }
      if (byRatio?.shouldSample(context, traceId).decision === SamplingDecision.NOT_RECORD) return DROPPED
      return (isRoot ? mayBegin() : decideOnce(traceId)) ? RECORDED : DROPPED
    },
    toString: () => `TaskerSampler{ratio=${ratio},maxTracesPerSecond=${maxTracesPerSecond}}`,
  }
}

const RECORDED = Object.freeze({ decision: SamplingDecision.RECORD_AND_SAMPLED })
const DROPPED = Object.freeze({ decision: SamplingDecision.NOT_RECORD })

/** Whether the engine made the trace, for want of a creator's: then it has the id of the task. */
function isOwnTrace(traceId: string, taskId: unknown): boolean {
  // The start of it first, which tells nearly all of them apart and makes no text.
  return typeof taskId === "string" && traceId.startsWith(taskId.slice(0, 8)) && taskId.replaceAll("-", "") === traceId
}

/** Allows so many a second, and as many at once after a second without any. */
function createRateLimit(perSecond: number, now: () => number): () => boolean {
  let left = perSecond
  let filledAt = now()
  return () => {
    const at = now()
    left = Math.min(perSecond, left + ((at - filledAt) * perSecond) / 1_000)
    filledAt = at
    if (left < 1) return false
    left -= 1
    return true
  }
}
