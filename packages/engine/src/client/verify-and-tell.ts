import { verify, type Violation } from "../store/verify.ts"
import type { ClientRooms } from "./client-rooms.ts"

/** Checks the invariants, and tells of each violation. */
export async function verifyAndTell({ database, events }: ClientRooms): Promise<readonly Violation[]> {
  const violations = await verify(database)
  for (const { invariant, taskId, detail } of violations) {
    events.publish("workflow.task_state_unclear", { invariant, taskId, message: detail })
  }
  return violations
}
