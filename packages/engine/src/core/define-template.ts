import { buildDefinition, buildWorkflow, type HandlerLookup } from "./build-workflow.ts"
import type { ResultSeenByDependents, TransactionOf } from "./define-workflow.ts"
import { describeValue } from "./describe-value.ts"
import type { BodiesOf, EventDeclarations, EventSchemas, NameProblem, PublisherOf } from "./events/declared-events.ts"
import { didYouMean } from "./names.ts"
import { expectedProblem } from "./option-rules.ts"
import { type Problem, problem } from "./problem.ts"
import type { JsonSchema, StandardSchema } from "./schema.ts"
import type { DagError, Storable } from "./storable.ts"
import { isObject } from "./is-object.ts"
import type { SharedOptions, WorkflowSource } from "./workflow-source.ts"
import type { StepContext, Workflow, WorkflowId } from "./workflow.ts"

/** One entry of `steps:` in a YAML template, once its keys are in camelCase. */
export interface TemplateStep extends SharedOptions {
  readonly name: string
  readonly dependsOn?: readonly string[]
  /** The name that the database knows the handler by. Default: `namespace.step`. */
  readonly handler?: string
  /** Whether the task may go on without this step. Default: false. */
  readonly skippable?: boolean
  /** Whether the handler gets `tx`. Default: false. */
  readonly transactional?: boolean
  /** What the handler gets as `config`. Never stored. */
  readonly config?: unknown
  /** Further events that this step may publish, as `events` of the template. Default: none. */
  readonly events?: EventDeclarations
}

type DependenciesOf<Step> = Step extends { readonly dependsOn: infer D extends readonly string[] } ? D : readonly []

/** Step name to the tuple of names it depends on. */
type Graph<Steps extends readonly TemplateStep[]> = { readonly [S in Steps[number] as S["name"]]: DependenciesOf<S> }

/** Names that occur more than once. */
type Duplicates<Steps extends readonly TemplateStep[], Seen = never, Found = never> = Steps extends readonly [
  infer Head extends TemplateStep,
  ...infer Tail extends readonly TemplateStep[],
]
  ? Duplicates<Tail, Seen | Head["name"], Found | Extract<Head["name"], Seen>>
  : Found

/**
 * One pass down the list, adding each step whose dependencies are all in `Done`.
 * An unknown name does not hold its step back; it is reported on its own.
 */
type Pass<Steps extends readonly TemplateStep[], Names, Done> = Steps extends readonly [
  infer Head extends TemplateStep,
  ...infer Tail extends readonly TemplateStep[],
]
  ? Pass<Tail, Names, [DependenciesOf<Head>[number] & Names] extends [Done] ? Done | Head["name"] : Done>
  : Done

/**
 * Steps that can be put in an order that respects every dependency. Passes are
 * repeated until one adds nothing, so a list already in order takes two.
 *
 * `extends infer Next` is not decoration: it makes the compiler settle one pass
 * before the next begins. Without it TypeScript 7 gives up at 100 steps.
 */
type Sortable<Steps extends readonly TemplateStep[], Names, Done = never> =
  Pass<Steps, Names, Done> extends infer Next ? ([Next] extends [Done] ? Done : Sortable<Steps, Names, Next>) : never

/** Steps that are on a cycle, or wait for one. */
type Stuck<Steps extends readonly TemplateStep[]> = Exclude<
  Steps[number]["name"],
  Sortable<Steps, Steps[number]["name"]>
>

/** The first element of `List` that is in `Set`. */
type FirstIn<List, Set> = List extends readonly [infer Head, ...infer Tail]
  ? Head extends Set
    ? Head
    : FirstIn<Tail, Set>
  : never

/**
 * Walks from `Start` along stuck dependencies: "a -> b -> a" if the walk comes
 * back to `Start`, never if `Start` merely waits for a cycle. Each stuck step
 * has a stuck dependency, so at least one step on some cycle is always named.
 */
type CycleThrough<
  G,
  S,
  Start extends string,
  At extends string = Start,
  Seen = never,
  Path extends string = Start,
> = At extends keyof G
  ? FirstIn<G[At], S> extends infer Next extends string
    ? Next extends Start
      ? `${Path} -> ${Next}`
      : Next extends Seen
        ? never
        : CycleThrough<G, S, Start, Next, Seen | Next, `${Path} -> ${Next}`>
    : never
  : never

type UnknownDependency<G, Step extends TemplateStep> = Exclude<DependenciesOf<Step>[number], keyof G>

/** Options that no step has. The compiler checks a literal for them only where its type is not inferred. */
type CheckKeys<Step> = [Exclude<keyof Step, keyof TemplateStep>] extends [never]
  ? unknown
  : { readonly [K in Exclude<keyof Step, keyof TemplateStep> & string]: DagError<`a step has no option "${K}"`> }

type EventsOf<Declaring> = Declaring extends { readonly events: infer Schemas } ? BodiesOf<Schemas> : {}

/** Events that can be called so; else why not. */
type CheckEvents<Step> = Step extends { readonly events: infer Schemas }
  ? [NameProblem<keyof Schemas>] extends [never]
    ? unknown
    : { readonly events: EventSchemas<BodiesOf<Schemas>> }
  : unknown

/** What is wrong with a step, as an error on the property that is wrong; `unknown` when nothing is. */
type CheckStep<Step, G, Twice, S> = Step extends TemplateStep
  ? Step["name"] extends Twice
    ? { readonly name: DagError<`step "${Step["name"]}" is declared twice in this template`> }
    : [UnknownDependency<G, Step>] extends [never]
      ? [CycleThrough<G, S, Step["name"]>] extends [never]
        ? CheckKeys<Step> & CheckEvents<Step>
        : { readonly dependsOn: DagError<`dependency cycle: ${CycleThrough<G, S, Step["name"]>}`> }
      : {
          readonly dependsOn: DagError<`step "${Step["name"]}" depends on "${UnknownDependency<G, Step>}", which this template does not declare`>
        }
  : unknown

/** Checks every step. While a name is declared twice the graph is ambiguous, so cycles wait. */
type CheckSteps<
  Steps extends readonly TemplateStep[],
  G = Graph<Steps>,
  Twice = Duplicates<Steps>,
  S = [Twice] extends [never] ? Stuck<Steps> : never,
> = { readonly [I in keyof Steps]: CheckStep<Steps[I], G, Twice, S> }

type ConfigOf<Step> = Step extends { readonly config: infer Config } ? Config : undefined

/** Names of the steps that may be skipped. */
type SkippableIn<Steps extends readonly TemplateStep[]> = Extract<Steps[number], { readonly skippable: true }>["name"]

/** `Results`, with `undefined` where a step may be skipped. */
type WithSkips<Steps extends readonly TemplateStep[], Results> = {
  readonly [K in keyof Results]: ResultSeenByDependents<Results[K], K extends SkippableIn<Steps> ? true : false>
}

/** One handler per step, each seeing only the results of its own dependencies. */
export type HandlersFor<
  Steps extends readonly TemplateStep[],
  Input,
  Results,
  Events = {},
  Seen = WithSkips<Steps, Results>,
> = {
  readonly [S in Steps[number] as S["name"]]: (
    context: StepContext<Input, { readonly [D in DependenciesOf<S>[number] & keyof Seen]: Seen[D] }, ConfigOf<S>>
      & TransactionOf<S["transactional"]>
      & PublisherOf<Events & EventsOf<S>>,
  ) => TemplateResult<S["name"], Results> | Promise<TemplateResult<S["name"], Results>>
}

type TemplateResult<Name, Results> = Name extends keyof Results ? Storable<Results[Name]> : unknown

/** What a schema takes and makes. */
interface SchemaTypes {
  readonly input: unknown
  readonly output: unknown
}

/** The types of a Standard Schema; `never` for a JSON Schema, which has none. */
type SchemaTypesOf<Schema> = Schema extends StandardSchema ? NonNullable<Schema["~standard"]["types"]> : never

/** What a creator of a task gives, when handlers see `Input`. */
type CreateInputFor<Input, Schema extends SchemaTypes> = [Schema] extends [never] ? Input : Schema["input"]

/** The handlers that are asked for; or why there can be none: the schema makes something else than they take. */
type HandlersOr<Steps extends readonly TemplateStep[], Input, Results, Schema extends SchemaTypes, Events> = [
  Schema,
] extends [never]
  ? HandlersFor<Steps, Input, Results, Events>
  : [Schema["output"]] extends [Input]
    ? HandlersFor<Steps, Input, Results, Events>
    : DagError<"the template's input schema does not produce the Input that the handlers take">

/** A template whose names and dependencies were checked. */
export interface Template<
  Steps extends readonly TemplateStep[],
  Schema extends SchemaTypes = never,
  Events = {},
> extends WorkflowId {
  readonly steps: Steps
  /**
   * Binds a handler to each step.
   *
   * `tasker generate types` writes `Input` and `Results` from the JSON Schemas
   * in the YAML file; where it has none, write them by hand.
   *
   * @throws TaskerError `TASKER_WORKFLOW_INVALID` with every problem in `details.problems`
   */
  implement<Input, Results>(
    handlers: HandlersOr<Steps, Input, Results, Schema, Events>,
  ): Workflow<Input, WithSkips<Steps, Results>, CreateInputFor<Input, Schema>>
}

/** Everything about a template but its steps. */
export interface TemplateOptions<Schema, Events = {}> extends SharedOptions {
  /** Default: "default". */
  readonly namespace?: string | undefined
  readonly name: string
  readonly version: string
  readonly description?: string | undefined
  /** A Standard Schema, or a JSON Schema 2020-12 object. Default: any JSON. */
  readonly input?: Schema
  /**
   * The events that each of its steps may publish, by name, with the schema of
   * each body: a Standard Schema or a JSON Schema. Default: none.
   */
  readonly events?: EventSchemas<Events>
}

/**
 * Checks a template written by hand or generated from YAML. What
 * `tasker validate` reports at run time is a compile error here.
 *
 * @throws TaskerError `TASKER_WORKFLOW_INVALID` with every problem in `details.problems`
 */
export function defineTemplate<
  const Steps extends readonly TemplateStep[],
  Schema extends StandardSchema | JsonSchema = JsonSchema,
  Events = {},
>(
  template: TemplateOptions<Schema, Events> & { readonly steps: Steps & CheckSteps<Steps> },
): Template<Steps, SchemaTypesOf<Schema>, Events> {
  // What its types cannot say is checked here.
  const source = template as WorkflowSource
  const { namespace, name, version } = buildDefinition(source)
  const implement = (handlers: unknown): unknown => {
    const problems = isObject(handlers)
      ? unusedHandlers(source, handlers)
      : [expectedProblem(["handlers"], "an object", handlers)]
    return buildWorkflow(source, { handlers: lookup(source, isObject(handlers) ? handlers : {}), problems })
  }
  // "~types" and the types of the steps exist for the compiler alone.
  return Object.freeze({ namespace, name, version, steps: source.steps, implement }) as unknown as Template<
    Steps,
    SchemaTypesOf<Schema>,
    Events
  >
}

type Handlers = Readonly<Record<string, unknown>>

/** A template's handlers are keyed by step; the handler's name is what the database knows it by. */
function lookup(source: WorkflowSource, handlers: Handlers): HandlerLookup {
  return {
    get: (_handlerName, stepName) => (Object.hasOwn(handlers, stepName) ? handlers[stepName] : undefined),
    names: unusedNames(source, handlers),
  }
}

function unusedHandlers(source: WorkflowSource, handlers: Handlers): Problem[] {
  const stepNames = source.steps.map((step) => step.name)
  return unusedNames(source, handlers).map((name) => {
    const message = `handler ${describeValue(name)} belongs to no step of this template`
    return problem(["handlers", name], message, didYouMean(name, stepNames))
  })
}

function unusedNames(source: WorkflowSource, handlers: Handlers): readonly string[] {
  const stepNames = new Set(source.steps.map((step) => step.name))
  return Object.keys(handlers).filter((name) => !stepNames.has(name))
}
