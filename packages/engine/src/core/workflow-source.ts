import type { EventDeclarations } from "./events/declared-events.ts"
import type { JsonSchema, StandardSchema } from "./schema.ts"
import type { AnyStepHandler, Priority } from "./workflow.ts"

/** How long to wait between attempts, as a user writes it. A step's replaces its workflow's; what it leaves out comes from the defaults. */
export type BackoffOptions = ExponentialBackoffOptions | ListedBackoffOptions

export interface ExponentialBackoffOptions {
  /** The delay before the second attempt, in milliseconds, from 0. Default: 1_000. */
  readonly baseMs?: number | undefined
  /** No delay is longer, in milliseconds. Default: 30_000. */
  readonly capMs?: number | undefined
  /** Each delay is so many times the one before, from 1 to 100. Default: 2. */
  readonly factor?: number | undefined
  /** Each delay is up to this share shorter or longer, from 0 to 1. Default: 0.1. */
  readonly jitter?: number | undefined
}

export interface ListedBackoffOptions {
  /** The delays before the second attempt, the third, …, in milliseconds. The last one repeats. */
  readonly delaysMs: readonly number[]
  /** Each delay is up to this share shorter or longer, from 0 to 1. Default: 0.1. */
  readonly jitter?: number | undefined
}

/** What a step takes from its workflow when it does not say otherwise. */
export interface SharedOptions {
  /** Where ready steps wait. Default: the namespace. */
  readonly queue?: string | undefined
  /** 1 is the most urgent, 4 the least. Default: 3 for a workflow; the task's for a step. */
  readonly priority?: Priority | undefined
  /** How many attempts in all, from 1 to 100. Default: 3. */
  readonly maxAttempts?: number | undefined
  /** How long to wait between attempts. */
  readonly backoff?: BackoffOptions | undefined
  /** How long one attempt may take, in milliseconds, from 1 to 2_147_483_647. Default: 30_000. */
  readonly timeoutMs?: number | undefined
}

/** A step as it was written down, in code or in a file. Checked by {@link buildWorkflow}. */
export interface StepSource extends SharedOptions {
  readonly name: string
  readonly dependsOn?: readonly string[] | undefined
  /** The handler, or its name among the handlers that {@link buildWorkflow} is given. Default: the name `namespace.step`. */
  readonly handler?: AnyStepHandler | string | undefined
  readonly skippable?: boolean | undefined
  readonly transactional?: boolean | undefined
  readonly config?: unknown
  readonly events?: EventDeclarations | undefined
}

/** A workflow as it was written down, in code or in a file. Checked by {@link buildWorkflow}. */
export interface WorkflowSource extends SharedOptions {
  /** Default: "default". */
  readonly namespace?: string | undefined
  readonly name: string
  readonly version: string
  readonly description?: string | undefined
  readonly input?: StandardSchema | JsonSchema | undefined
  readonly events?: EventDeclarations | undefined
  readonly steps: readonly StepSource[]
}
