import { execFile } from "node:child_process"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"

/** What an event costs whoever publishes it, in nanoseconds: medians of rounds. */
export interface EventCost {
  readonly subscribers: number
  /** Asking whether anybody listens, which is all where nobody does. */
  readonly askingNs: number
  readonly publishingNs: number
  /** Publishing, and telling all subscribers. */
  readonly untilToldNs: number
}

/** A script, because what the engine publishes by is none of its public surface. */
const SCRIPT = fileURLToPath(new URL("../../scripts/measure-events.mjs", import.meta.url))

/**
 * Measures with nobody listening, and with one and ten subscribers, in a process of its own.
 *
 * @param events - of each round
 */
export async function measureEvents(events: number): Promise<readonly EventCost[]> {
  const { stdout } = await promisify(execFile)(process.execPath, [SCRIPT, String(events)])
  // The script prints what is declared above.
  return JSON.parse(stdout) as readonly EventCost[]
}
