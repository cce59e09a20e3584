import { setTimeout as sleep } from "node:timers/promises"
import type { Transition } from "@tasker/engine"
import { formatMs, type Paint } from "./paint.ts"

/** A task that the feed follows. */
export interface FollowedTask {
  readonly taskId: string
  /** `#3` */
  readonly label: string
  /** Picks its colour. */
  readonly index: number
}

export interface LiveFeedOptions {
  readonly print: (line: string) => void
  readonly paint: Paint
  readonly getHistory: (taskId: string) => Promise<readonly Transition[]>
  /** How many attempts a step has. */
  readonly maxAttempts: (step: string) => number
}

/** Prints what happens to tasks while it happens. */
export interface LiveFeed {
  follow(task: FollowedTask): void
  /** Prints all that has happened until now. */
  flush(): Promise<void>
  /** Prints what is left, and stops. May be called twice. */
  stop(): Promise<void>
}

const POLL_MS = 50

/**
 * Follows tasks by reading their history again and again: what it prints is what was committed, in the order of the
 * database's clock, and nothing else.
 */
export function startLiveFeed(options: LiveFeedOptions): LiveFeed {
  const stopped = new AbortController()
  const followed = new Map<string, Followed>()
  let waiting: readonly Entry[] = []
  let firstMs: number | undefined

  const printUntil = (untilMs: number): void => {
    const due = waiting.filter((entry) => atMs(entry) <= untilMs).toSorted((a, b) => atMs(a) - atMs(b))
    waiting = waiting.filter((entry) => atMs(entry) > untilMs)
    for (const { task, transition } of due) {
      firstMs ??= transition.at.getTime()
      const text = describeTransition(task, transition, options)
      const elapsedMs = transition.at.getTime() - firstMs
      if (text !== null) options.print(formatLine(elapsedMs, task, transition, text, options.paint))
    }
  }

  // Histories are read one after the other, so the last one knows of later things than the first. What one poll
  // found is printed after the next, together with what is earlier.
  const poll = async (): Promise<void> => {
    const untilMs = Math.max(...waiting.map(atMs))
    waiting = [...waiting, ...(await readNew(followed.values(), options))]
    printUntil(untilMs)
  }

  // One at a time, or a line would be printed twice.
  let lastPoll = Promise.resolve()
  const pollInTurn = (): Promise<void> => (lastPoll = lastPoll.then(poll))
  const flush = async (): Promise<void> => {
    await pollInTurn()
    printUntil(Infinity)
  }

  const running = (async () => {
    while (!stopped.signal.aborted) {
      await pollInTurn()
      await sleep(POLL_MS, undefined, { signal: stopped.signal }).catch(() => {})
    }
    await flush()
  })()
  // Whoever stops the feed hears of it.
  running.catch(() => {})

  return {
    follow: (task) =>
      void followed.set(task.taskId, { ...task, seen: 0, failedAtMs: new Map(), startedAtMs: new Map() }),
    flush,
    async stop() {
      stopped.abort()
      await running
    },
  }
}

interface Followed extends FollowedTask {
  /** How many transitions were printed. */
  seen: number
  readonly startedAtMs: Map<string, number>
  readonly failedAtMs: Map<string, number>
}

interface Entry {
  readonly task: Followed
  readonly transition: Transition
}

async function readNew(tasks: Iterable<Followed>, { getHistory }: LiveFeedOptions): Promise<readonly Entry[]> {
  const found: Entry[] = []
  for (const task of tasks) {
    const history = await getHistory(task.taskId)
    found.push(...history.slice(task.seen).map((transition) => ({ task, transition })))
    task.seen = history.length
  }
  return found
}

function atMs({ transition }: Entry): number {
  return transition.at.getTime()
}

function formatLine(ms: number, task: Followed, { step }: Transition, text: string, paint: Paint): string {
  const time = paint.dim(`${(ms / 1_000).toFixed(2).padStart(6)} s`)
  return `${time}  ${paint.order(task.index, task.label.padEnd(4))} ${(step ?? "").padEnd(18)} ${text}`
}

function describeTransition(
  task: Followed,
  transition: Transition,
  { paint, maxAttempts }: LiveFeedOptions,
): string | null {
  const { step } = transition
  return step === null
    ? describeTaskTransition(transition, paint)
    : describeStepTransition(task, { ...transition, step }, paint, maxAttempts(step))
}

function describeTaskTransition({ from, to }: Transition, paint: Paint): string | null {
  if (from === null) return "● created"
  if (to === "in_progress") return from === "error" ? "● goes on" : null
  if (to === "complete") return paint.good(paint.bold("● complete"))
  return paint.bad(paint.bold(to === "error" ? "● stopped: a step failed for good" : `● ${to}`))
}

function describeStepTransition(
  task: Followed,
  { at, step, to, attempt, error, by, reason }: Transition & { readonly step: string },
  paint: Paint,
  maxAttempts: number,
): string | null {
  const ms = at.getTime()
  const of = `attempt ${attempt ?? 1} of ${maxAttempts}`
  const why = error?.message ?? "no reason given"
  switch (to) {
    case "in_progress": {
      task.startedAtMs.set(step, ms)
      const failedAt = task.failedAtMs.get(step)
      return failedAt === undefined ? null : paint.wait(`↻ ${of}, after waiting ${formatMs(ms - failedAt)}`)
    }
    case "complete":
      return `${paint.good("✔")} ${paint.dim(`in ${formatMs(ms - (task.startedAtMs.get(step) ?? ms))}`)}`
    case "waiting_for_retry":
      task.failedAtMs.set(step, ms)
      return paint.wait(`✗ ${of}: ${why}`)
    case "error":
      return paint.bad(`✗ ${of}, and no more: ${why}`)
    case "resolved_manually":
      return paint.bold(`◆ resolved by ${by ?? "somebody"}: ${reason ?? "no reason given"}`)
    default:
      return to === "pending" ? null : to
  }
}
