import type { Database } from "../core/database.ts"
import type { ChangeWatch } from "../core/events/change-watch.ts"
import type { EventSink } from "../core/events/event-sink.ts"
import type { Hint, Hints } from "../core/hints.ts"
import type { Redact } from "../core/redact.ts"
import type { WorkerVitals } from "../core/worker-vitals.ts"
import type { AnyWorkflow } from "../core/workflow.ts"
import type { RegisteredWorkflow } from "../registry/handler-registry.ts"

/** What the client stands on; the roof passes it. */
export interface ClientRooms {
  readonly database: Database
  readonly hints: Hints
  readonly events: EventSink
  /** Takes secrets out of the errors that are told. */
  readonly redact: Redact
  /** Told what calls changed. */
  readonly changes: ChangeWatch
  /** The most that an input or a result may take as JSON, in bytes. */
  readonly limits: { readonly inputBytes: number; readonly resultBytes: number }
  /** How the workers of this process are. */
  readonly workers: () => readonly WorkerVitals[]
  /** Whether processes wake each other by notifications. */
  readonly notifications: boolean
  /** Tells this process and the others that something may be worth a look. */
  readonly announce: (hint: Hint) => void
  /**
   * What this process knows of a workflow.
   *
   * @throws TaskerError `TASKER_WORKFLOW_NOT_FOUND` when it was not registered here
   */
  readonly findWorkflow: (workflow: AnyWorkflow) => FoundWorkflow
}

/** A workflow of this process, and its id in the database. */
export interface FoundWorkflow extends RegisteredWorkflow {
  readonly workflowId: number
}
