import type { ShopStats } from "../shop/routes.ts"
import { formatMs, type Paint } from "./paint.ts"
import type { StepRun } from "./step-runs.ts"

export interface Totals {
  readonly orderCount: number
  readonly completeCount: number
  /** The runs of all steps of all orders. */
  readonly runs: readonly StepRun[]
  /** From the first task's creation to the last one's end. */
  readonly elapsedMs: number
  /** What the shop counted; null for a live one. */
  readonly shop: ShopStats | null
  /** What `tasker.verify()` found. */
  readonly violationCount: number
}

/** What all orders came to, as lines of two columns. */
export function renderTotals(totals: Totals, paint: Paint): readonly string[] {
  const { orderCount, completeCount, runs, elapsedMs, shop, violationCount } = totals
  const attempts = runs.flatMap((run) => run.attempts)
  const failures = attempts.map(({ failure }) => failure).filter((failure) => failure !== null)
  const resolvedCount = runs.filter(({ resolvedMs }) => resolvedMs !== null).length
  const workMs = attempts.reduce((sum, { startMs, endMs }) => sum + endMs - startMs, 0)
  const rows: (readonly [string, string])[] = [
    ["orders", `${completeCount} of ${orderCount} complete, ${resolvedCount} with the help of an operator`],
    ["steps", `${runs.length}, in ${attempts.length} attempts`],
    ["failures", failures.length === 0 ? "none" : `${failures.length}: ${countEach(failures)}`],
    ["time", `${formatMs(workMs)} of work in ${formatMs(elapsedMs)}`],
  ]
  if (shop !== null) {
    const { requestCount, faultCount, orderCount: made, repeatedCount } = shop
    rows.push(["shop", `${requestCount} requests, ${faultCount} of them sabotaged`])
    rows.push(["", `${made} orders made; ${repeatedCount} repeated request recognised by its idempotency key`])
  }
  rows.push(["verified", violationCount === 0 ? "all invariants hold" : paint.bad(`${violationCount} violations`)])
  return rows.map(([name, value]) => `${paint.dim(name.padEnd(10))}${value}`)
}

/** `503 ×2, 429`. */
export function countEach(names: readonly string[]): string {
  const counts = new Map<string, number>()
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1)
  return [...counts]
    .toSorted(([a], [b]) => a.localeCompare(b))
    .map(([name, count]) => (count === 1 ? name : `${name} ×${count}`))
    .join(", ")
}
