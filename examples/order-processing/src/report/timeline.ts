import { formatMs, type Paint } from "./paint.ts"
import type { StepRun } from "./step-runs.ts"

const BAR_WIDTH = 56

/**
 * A small Gantt chart: one line per step, and a scale.
 *
 * `█` runs · `✗` fails · `░` waits for its next attempt · `·` waits for a person · `◆` a person settles it
 */
export function renderTimeline(runs: readonly StepRun[], paint: Paint): readonly string[] {
  const nameWidth = Math.max(...runs.map(({ name }) => name.length))
  const totalMs = Math.max(1, ...runs.map(endOf))
  const lines = runs.map((run) => {
    const bar = paintBar(drawBar(run, totalMs), paint)
    return `${run.name.padEnd(nameWidth)}  ${bar}${describeRetries(run, paint)}`.trimEnd()
  })
  return [...lines, paint.dim(`${"".padEnd(nameWidth)}  ${drawScale(totalMs)}`)]
}

function endOf({ attempts, resolvedMs }: StepRun): number {
  return Math.max(resolvedMs ?? 0, ...attempts.map(({ endMs }) => endMs))
}

/** The bar as plain text, always {@link BAR_WIDTH} wide. */
export function drawBar({ attempts, resolvedMs }: StepRun, totalMs: number): string {
  const cells = Array.from({ length: BAR_WIDTH }, () => " ")
  const cellOf = (ms: number): number => Math.min(BAR_WIDTH - 1, Math.floor((ms / totalMs) * BAR_WIDTH))
  const fill = (fromMs: number, toMs: number, mark: string): void => {
    cells.fill(mark, cellOf(fromMs), Math.max(cellOf(toMs), cellOf(fromMs) + 1))
  }
  // What waits is drawn first, so that the shortest attempt still shows.
  attempts.forEach(({ endMs }, index) => {
    const next = attempts[index + 1]
    if (next !== undefined) fill(endMs, next.startMs, "░")
    else if (resolvedMs !== null) fill(endMs, resolvedMs, "·")
  })
  for (const { startMs, endMs } of attempts) fill(startMs, endMs, "█")
  for (const { startMs, endMs, failure } of attempts) {
    if (failure !== null) cells[Math.max(cellOf(startMs), cellOf(endMs) - 1)] = "✗"
  }
  if (resolvedMs !== null) cells[cellOf(resolvedMs)] = "◆"
  return cells.join("")
}

function paintBar(bar: string, paint: Paint): string {
  return bar
    .replaceAll(/█+/g, paint.good)
    .replaceAll(/✗+/g, paint.bad)
    .replaceAll(/[░·]+/g, paint.wait)
    .replaceAll("◆", paint.bold)
}

function describeRetries({ attempts, resolvedMs }: StepRun, paint: Paint): string {
  const failures = attempts.map(({ failure }) => failure).filter((failure) => failure !== null)
  if (failures.length === 0) return ""
  const count = attempts.length === 1 ? "1 attempt" : `${attempts.length} attempts`
  const end = resolvedMs === null ? "" : ", then resolved by hand"
  return paint.dim(`  ${count}: ${failures.join(", ")}${end}`)
}

/** Marks at round times: 0 s, 0.5 s, … */
export function drawScale(totalMs: number): string {
  const tickMs = [50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000].find((ms) => totalMs / ms <= 7) ?? totalMs
  let scale = ""
  for (let ms = 0; ms <= totalMs; ms += tickMs) {
    const cell = Math.floor((ms / totalMs) * BAR_WIDTH)
    scale = `${scale.padEnd(cell)}╵${formatMs(ms)}`
  }
  return scale
}
