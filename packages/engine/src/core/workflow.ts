import type { DeclaredEvent, EventPublisher } from "./events/declared-events.ts"
import type { Logger } from "./logger.ts"
import type { JsonSchema, JsonValue, StandardSchema } from "./schema.ts"

/** How urgent a step is: 1 is the most urgent, 4 the least. */
export type Priority = 1 | 2 | 3 | 4

/** How long to wait between attempts. `jitter` is a share: 0.1 means ± 10 %. */
export type Backoff = ExponentialBackoff | ListedBackoff

/** Before attempt `n`: `baseMs · factor^(n-2)`, at most `capMs`. */
export interface ExponentialBackoff {
  readonly baseMs: number
  readonly capMs: number
  readonly factor: number
  readonly jitter: number
}

/** Before attempt 2 the first delay, before attempt 3 the second, …; the last one repeats. */
export interface ListedBackoff {
  readonly delaysMs: readonly number[]
  readonly jitter: number
}

/** A step of a definition: all that the database needs to know. */
export interface StepSpec {
  readonly name: string
  readonly dependsOn: readonly string[]
  /** `namespace.step` unless a template names another. */
  readonly handlerName: string
  readonly queue: string
  /** `null` means the task's. */
  readonly priority: Priority | null
  readonly maxAttempts: number
  readonly backoff: Backoff
  readonly timeoutMs: number
  readonly skippable: boolean
  readonly transactional: boolean
}

/** An event that steps of a workflow may publish. */
export interface EventSpec {
  readonly name: string
  /** `null`: each step of the workflow may publish it. */
  readonly step: string | null
  /** The JSON Schema of its body, when one is known. */
  readonly schema: JsonValue
}

/** A workflow as it is stored: data only, the same for builder, template and YAML file. */
export interface WorkflowDefinition {
  readonly namespace: string
  readonly name: string
  /** A semantic version, such as "1.2.0". */
  readonly version: string
  readonly description: string | null
  /** The priority of its tasks, unless one says otherwise. */
  readonly priority: Priority
  /** The JSON Schema of the input, when one is known. */
  readonly inputSchema: JsonValue
  /** The events that its steps may publish; absent when there are none. */
  readonly events?: readonly EventSpec[]
  /** Each step after all that it depends on; a step's number is its index. */
  readonly steps: readonly StepSpec[]
}

/** The connection of a transactional step. What is written through it commits together with the step's result. */
export interface StepTransaction {
  /**
   * Runs one statement in the step's transaction.
   *
   * @param text - SQL with `$1`, `$2`, … for `values`; no `commit` or `rollback`
   * @returns the rows
   */
  query<Row = Record<string, unknown>>(text: string, values?: readonly unknown[]): Promise<readonly Row[]>
}

/** Which workflow, and which version of it. */
export interface WorkflowId {
  readonly namespace: string
  readonly name: string
  /** A semantic version, such as "1.2.0". */
  readonly version: string
}

/** What a step handler is given. `Results` holds its direct dependencies and nothing else. */
export interface StepContext<Input, Results, Config = unknown> {
  /** The task's input, as it was validated when the task was created. */
  readonly input: Input
  /** Results of the steps named in `dependsOn`, keyed by step name. Has no prototype. */
  readonly results: Results
  /** The `config` of the step; `undefined` when it has none. It stays in memory, and is never stored. */
  readonly config: Config
  /** 1 on the first attempt. */
  readonly attempt: number
  /** How many attempts there are in all. */
  readonly maxAttempts: number
  /** Aborts when the step times out, loses its lease, or its task is cancelled. */
  readonly signal: AbortSignal
  readonly taskId: string
  readonly stepName: string
  /** The workflow that the task was created with. */
  readonly workflow: WorkflowId
  /**
   * What the creator of the task gave to follow it through other systems; else the task's id. It is on every line and in
   * every event about the task. Give it on to the tasks that the step creates.
   */
  readonly correlationId: string
  /** The same in every attempt of this step of this task, and in no other. Give it to services that refuse duplicates. */
  readonly idempotencyKey: string
  /** Adds the task and the step to each line. */
  readonly log: Logger
}

/** What the handler of a step with `transactional: true` is given. */
export interface TransactionalStepContext<Input, Results, Config = unknown> extends StepContext<
  Input,
  Results,
  Config
> {
  /** The step's own transaction, in which its result is recorded too. */
  readonly tx: StepTransaction
}

/**
 * A handler in its own file, which states what it needs. The workflow that uses
 * it must provide at least these results, and this config; that is checked where
 * the step is declared.
 */
export type StepHandler<Input, Results, Result, Config = unknown> = (
  context: StepContext<Input, Results, Config>,
) => Result | Promise<Result>

/** As {@link StepHandler}, for a step with `transactional: true`. */
export type TransactionalStepHandler<Input, Results, Result, Config = unknown> = (
  context: TransactionalStepContext<Input, Results, Config>,
) => Result | Promise<Result>

/** As {@link StepHandler}, for a step that publishes events. `Events` maps their names to their bodies. */
export type PublishingStepHandler<Input, Results, Result, Events, Config = unknown> = (
  context: StepContext<Input, Results, Config> & EventPublisher<Events>,
) => Result | Promise<Result>

/** What a worker passes to any handler. `tx` is there when the step is transactional. */
export interface AnyStepContext extends StepContext<unknown, Readonly<Record<string, unknown>>> {
  readonly tx?: StepTransaction
  readonly publish: (name: string, body: unknown) => void
}

/** A handler whose types were checked where its step was declared. */
export type AnyStepHandler = (context: AnyStepContext) => unknown

/** A step with what runs it. */
export interface RunnableStep {
  readonly spec: StepSpec
  readonly handler: AnyStepHandler
  /** What the handler gets as `config`. It never leaves memory, so it may hold secrets. */
  readonly config: unknown
}

/**
 * A workflow that can be registered and run.
 *
 * `Input` is what handlers see. `Results` maps each step name to its result.
 * `CreateInput` is what a creator of a task gives: the same, unless the schema
 * of the input has defaults or transforms.
 */
export interface Workflow<Input, Results, CreateInput = Input> extends WorkflowId {
  /**
   * The workflow as it is stored.
   *
   * @throws TaskerError `TASKER_WORKFLOW_INVALID` on the first read, when the workflow breaks a rule
   */
  readonly definition: WorkflowDefinition
  /** In the order of `definition.steps`. Throws as `definition` does. */
  readonly steps: readonly RunnableStep[]
  /** What the input of a task is validated against; `null` when nothing was said. */
  readonly inputSchema: StandardSchema | JsonSchema | null
  /** The events that its steps may publish, with the schemas of their bodies. Throws as `definition` does. */
  readonly events: readonly DeclaredEvent[]
  /** Carries the types; absent at run time. */
  readonly "~types": { readonly input: Input; readonly results: Results; readonly createInput: CreateInput }
}

/** Any workflow, whatever its types. */
export type AnyWorkflow = Workflow<unknown, unknown, unknown>

/** The input that the handlers of a workflow see: `InputOf<typeof processOrder>`. */
export type InputOf<W extends AnyWorkflow> = W["~types"]["input"]

/** The input that a creator of a task gives. Differs from {@link InputOf} when the schema has defaults or transforms. */
export type CreateInputOf<W extends AnyWorkflow> = W["~types"]["createInput"]

/** The result of each step: `ResultsOf<typeof processOrder>["charge_card"]`. */
export type ResultsOf<W extends AnyWorkflow> = {
  readonly [K in keyof W["~types"]["results"]]: W["~types"]["results"][K]
}
