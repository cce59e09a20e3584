import { buildWorkflow } from "./build-workflow.ts"
import type { EventSchemas, Fixed, PublisherOf, WorkflowEventSchemas } from "./events/declared-events.ts"
import { expectedProblem } from "./option-rules.ts"
import { type Problem, problem } from "./problem.ts"
import type { JsonSchema, StandardSchema } from "./schema.ts"
import type { DagError, Storable } from "./storable.ts"
import { isObject } from "./is-object.ts"
import type { SharedOptions, StepSource, WorkflowSource } from "./workflow-source.ts"
import type { AnyWorkflow, StepContext, StepTransaction, Workflow } from "./workflow.ts"

/** Everything about a workflow but its steps. What `SharedOptions` lists, steps may override. */
export interface WorkflowOptions<Input, CreateInput, Events = {}> extends SharedOptions {
  /** Default: "default". */
  readonly namespace?: string | undefined
  /** Unique within the namespace; `snake_case`. */
  readonly name: string
  /** A semantic version, such as "1.2.0". A changed workflow needs a new one. */
  readonly version: string
  readonly description?: string | undefined
  /**
   * What the input of a task is validated against when it is created: a Standard
   * Schema (zod, valibot, arktype), from which `Input` is inferred; or a JSON
   * Schema 2020-12 object, beside which `Input` is written as the type argument.
   * Default: any JSON.
   */
  readonly input?: StandardSchema<CreateInput, Input> | JsonSchema | undefined
  /**
   * The events that each of its steps may publish, by name, with the schema of
   * each body: a Standard Schema or a JSON Schema. Default: none.
   */
  readonly events?: WorkflowEventSchemas<Events> | undefined
}

type NewStepName<Name extends string, Results> = string extends Name
  ? DagError<"a step name must be a string literal, not a computed string">
  : Name extends keyof Results
    ? DagError<`step "${Name}" is already declared in this workflow`>
    : Name

/** Only a step declared above may be depended on, so a cycle cannot be written down. */
type EarlierStep<Results> = [keyof Results] extends [never]
  ? DagError<"no step is declared above this one, so it cannot depend on anything">
  : keyof Results & string

/** A skipped step has no result, so dependents of a skippable step must say what they do then. */
export type ResultSeenByDependents<Result, Skippable> = Skippable extends true ? Result | undefined : Result

/** What only the handler of a transactional step is given. */
export type TransactionOf<Transactional> = Transactional extends true ? { readonly tx: StepTransaction } : unknown

/** Everything about a step but its name. The keys are those of the YAML twin, in camelCase. */
export interface StepDefinition<
  Input,
  Results,
  Dependency,
  Skippable,
  Result,
  Transactional,
  Config,
  Events = {},
  StepEvents = {},
> extends SharedOptions {
  readonly dependsOn?: readonly Dependency[]
  /** Whether the task may go on without this step. Default: false. */
  readonly skippable?: Skippable
  /**
   * Whether the handler gets `tx`, a database transaction in which its writes
   * and the recording of its result commit together. It holds a connection while
   * it runs. Default: false.
   */
  readonly transactional?: Transactional
  /** What the handler gets as `config`. It stays in memory and is never stored, so it may hold secrets. */
  readonly config?: Config
  /** Further events that this step may publish, as `events` of the workflow. Default: none. */
  readonly events?: EventSchemas<StepEvents>
  /** Does the work. What it returns is stored as JSON; what it throws fails the attempt. */
  readonly handler: (
    context: StepContext<Input, Results, NoInfer<Config>>
      & TransactionOf<Transactional>
      & PublisherOf<Events & Fixed<StepEvents>>,
  ) => Storable<Result> | Promise<Storable<Result>>
}

/** A workflow being declared. It is complete, and can be registered, after any `step`. */
export interface WorkflowBuilder<Input, Results, CreateInput = Input, Events = {}> extends Workflow<
  Input,
  Results,
  CreateInput
> {
  /**
   * Declares the next step.
   *
   * @param name - unique within the workflow; `snake_case`
   * @param definition - what the step depends on and how it runs
   * @returns a new builder, with this step's result added to `Results`
   */
  step<
    const Name extends string,
    Result,
    const Dependency extends EarlierStep<Results> = never,
    const Skippable extends boolean = false,
    const Transactional extends boolean = false,
    Config = undefined,
    StepEvents = {},
  >(
    name: NewStepName<Name, Results>,
    definition: StepDefinition<
      Input,
      { readonly [K in Dependency & keyof Results]: Results[K] },
      Dependency,
      Skippable,
      Result,
      Transactional,
      Config,
      Events,
      StepEvents
    >,
  ): WorkflowBuilder<
    Input,
    Results & { readonly [K in Name]: ResultSeenByDependents<Result, Skippable> },
    CreateInput,
    Events
  >
}

/**
 * Starts the declaration of a workflow.
 *
 * Nothing is checked before `definition` or `steps` is read, which registering
 * does: then every problem is reported at once.
 *
 * @example
 * ```ts
 * const greet = defineWorkflow<{ name: string }>({ name: "greet", version: "1.0.0" })
 *   .step("compose", { handler: ({ input }) => `Hello ${input.name}` })
 *   .step("send", { dependsOn: ["compose"], handler: ({ results }) => results.compose.length })
 * ```
 */
export function defineWorkflow<Input = unknown, CreateInput = Input, Events = {}>(
  options: WorkflowOptions<Input, CreateInput, Events>,
): WorkflowBuilder<Input, {}, CreateInput, Events> {
  // The types of the builder are those of the steps that were declared so far: none.
  return createBuilder({ options, steps: [], problems: checkOptions(options) }) as unknown as WorkflowBuilder<
    Input,
    {},
    CreateInput,
    Events
  >
}

/** What was declared so far, before any of it is checked. */
interface Declared {
  readonly options: unknown
  readonly steps: readonly StepSource[]
  readonly problems: readonly Problem[]
}

function createBuilder(declared: Declared): object {
  let built: AnyWorkflow | undefined
  const workflow = (): AnyWorkflow => (built ??= buildWorkflow(sourceOf(declared), declared))
  const { namespace = "default", name, version, input = null } = isObject(declared.options) ? declared.options : {}
  return Object.freeze({
    namespace,
    name,
    version,
    inputSchema: input,
    get definition() {
      return workflow().definition
    },
    get steps() {
      return workflow().steps
    },
    get events() {
      return workflow().events
    },
    step: (stepName: unknown, definition: unknown) => createBuilder(withStep(declared, stepName, definition)),
  })
}

/** buildWorkflow trusts no source, so this may claim to be one. */
function sourceOf({ options, steps }: Declared): WorkflowSource {
  return (isObject(options) ? { ...options, steps } : options) as WorkflowSource
}

function withStep({ options, steps, problems }: Declared, name: unknown, definition: unknown): Declared {
  const path = ["steps", steps.length]
  const given = isObject(definition)
  const found = given ? checkName(path, definition) : [expectedProblem(path, "an object", definition)]
  // The stand-in has a handler, so that one fault is reported once.
  const step: unknown = { ...(given ? definition : { handler: () => undefined }), name }
  // buildWorkflow trusts no source, so this may claim to be a step.
  return { options, steps: [...steps, step as StepSource], problems: [...problems, ...found] }
}

/** A step of a file has its name inside; that of a builder would be overwritten without a word. */
function checkName(path: readonly (string | number)[], definition: Readonly<Record<string, unknown>>): Problem[] {
  if (definition["name"] === undefined) return []
  return [problem([...path, "name"], "a step's name is the first argument of `step`", "remove this one")]
}

/** As {@link checkName}: a file has its steps inside. */
function checkOptions(options: unknown): Problem[] {
  if (!isObject(options) || options["steps"] === undefined) return []
  return [problem(["steps"], "steps are declared by `step`, one after the other", "remove this option")]
}
