import { ENGINE_NAMESPACES } from "../../core/events/engine-namespaces.ts"
import { MAX_EVENTS } from "../../core/events/event-declaration.ts"
import { MAX_ATTEMPTS, MAX_STEPS } from "../../core/option-rules.ts"
import { MAX_DELAY_MS } from "../../core/retry-policy.ts"
import type { JsonSchema } from "../../core/schema.ts"

/** What may stand under a key of a workflow file. */
export interface FileKey {
  /** For the editor, as a person hovers over the key. */
  readonly description: string
  /** What values it takes, as JSON Schema. Values are checked by core, which a test compares with this. */
  readonly schema: JsonSchema
  /** The map under this key, or each map of the list or of the names under it, where its keys are ours. */
  readonly holds?: { readonly as: "map" | "list" | "names"; readonly map: FileMap }
  /** What else people call it; the original Tasker did. Gives a "did you mean" where the spelling is far off. */
  readonly aliases?: readonly string[]
}

/** A map with keys of ours. */
export interface FileMap {
  /** In messages, and in the JSON Schema. */
  readonly name: string
  /** In the order in which an editor offers them. */
  readonly keys: FileKeys
  readonly required: readonly string[]
  /** What JSON Schema says about the map as a whole. */
  readonly schema?: JsonSchema
}

export type FileKeys = Readonly<Record<string, FileKey>>

// Lookahead, since JSON Schema has no other way to say "each part but these".
const NAME = "(?!(?:constructor|prototype)(?:\\.|$))[a-z][a-z0-9_]{0,62}"
const NUMBER = "(?:0|[1-9]\\d*)"
const PRERELEASE_PART = `(?:${NUMBER}|\\d*[A-Za-z-][0-9A-Za-z-]*)`
const VERSION = `^${NUMBER}\\.${NUMBER}\\.${NUMBER}(?:-${PRERELEASE_PART}(?:\\.${PRERELEASE_PART})*)?$`

const name: JsonSchema = { type: "string", pattern: `^${NAME}$` }
const flag: JsonSchema = { type: "boolean" }
const delay: JsonSchema = { type: "integer", minimum: 0, maximum: MAX_DELAY_MS }

/** A list of delays stands instead of these. */
export const EXPONENTIAL_KEYS: readonly string[] = ["base_ms", "cap_ms", "factor"]

const BACKOFF_KEYS: FileKeys = {
  base_ms: { description: "The delay before the second attempt, in milliseconds. Default: 1000.", schema: delay },
  cap_ms: { description: "No delay is longer, in milliseconds. Default: 30000.", schema: delay },
  factor: {
    description: "Each delay is so many times the one before. Default: 2.",
    schema: { type: "number", minimum: 1, maximum: 100 },
  },
  jitter: {
    description: "Each delay is up to this share shorter or longer. Default: 0.1.",
    schema: { type: "number", minimum: 0, maximum: 1 },
  },
  delays_ms: {
    description:
      "The delays before the second attempt, the third, …, in milliseconds, instead of base, cap and factor. The last one repeats.",
    schema: { type: "array", items: delay, minItems: 1, maxItems: MAX_ATTEMPTS },
  },
}

const BACKOFF: FileMap = {
  name: "backoff",
  keys: BACKOFF_KEYS,
  required: [],
  schema: {
    dependentSchemas: { delays_ms: { properties: Object.fromEntries(EXPONENTIAL_KEYS.map((key) => [key, false])) } },
  },
}

/** What a workflow says for all its steps, and a step for itself. */
const SHARED_KEYS: FileKeys = {
  queue: { description: "Where ready steps wait. Default: the namespace.", schema: name },
  priority: {
    description: "1 is the most urgent, 4 the least. Default: 3 for a workflow, the task's for a step.",
    schema: { type: "integer", minimum: 1, maximum: 4 },
  },
  max_attempts: {
    description: "How many attempts in all. Default: 3.",
    schema: { type: "integer", minimum: 1, maximum: MAX_ATTEMPTS },
    aliases: ["retry_limit", "default_retry_limit", "retries", "attempts", "max_retries"],
  },
  backoff: {
    description: "How long to wait between attempts: growing delays, or a list of them.",
    schema: {},
    holds: { as: "map", map: BACKOFF },
    aliases: ["retry", "retry_policy"],
  },
  timeout_ms: {
    description: "How long one attempt may take, in milliseconds. Default: 30000.",
    schema: { type: "integer", minimum: 1, maximum: MAX_DELAY_MS },
    aliases: ["timeout", "timeout_seconds"],
  },
}

/** The events of a workflow or of a step, by name. */
const events: JsonSchema = {
  type: "object",
  maxProperties: MAX_EVENTS,
  propertyNames: { pattern: `^(?!(?:${ENGINE_NAMESPACES.join("|")})\\.)${NAME}(?:\\.${NAME}){1,3}$` },
  additionalProperties: { type: "object", $ref: "https://json-schema.org/draft/2020-12/schema" },
}

const STEP_KEYS: FileKeys = {
  name: { description: "Unique in the workflow.", schema: name },
  handler: {
    description: "The name of the function that does the work. Default: `namespace.step`.",
    schema: { type: "string", pattern: `^${NAME}(?:\\.${NAME}){0,3}$` },
    aliases: ["handler_class", "function", "uses", "run"],
  },
  depends_on: {
    description: "The steps that must be done before this one starts. Their results are given to the handler.",
    schema: { type: "array", items: name, uniqueItems: true },
    aliases: ["depends_on_step", "depends_on_steps", "needs", "after", "dependencies", "requires"],
  },
  skippable: { description: "Whether the task may go on without this step. Default: false.", schema: flag },
  transactional: {
    description: "Whether the handler's writes commit together with the step's result. Default: false.",
    schema: flag,
  },
  ...SHARED_KEYS,
  config: {
    description: "Anything the handler needs to know. It stays in memory and is never stored or shown.",
    schema: {},
    aliases: ["handler_config", "options", "with", "settings"],
  },
  events: {
    description: "Further events that this step may publish, each with the JSON Schema (2020-12) of its body.",
    schema: events,
    aliases: ["publishes", "custom_events", "emits"],
  },
}

const STEP: FileMap = { name: "step", keys: STEP_KEYS, required: ["name"] }

/** What an environment may say in another way. What a workflow is called is not among it. */
const OVERRIDABLE_KEYS: FileKeys = {
  description: { description: "What the workflow is for.", schema: { type: "string", maxLength: 10_000 } },
  ...SHARED_KEYS,
  input: {
    description: "The JSON Schema (2020-12) that the input of a task must match. Its defaults are stored.",
    schema: { type: "object", $ref: "https://json-schema.org/draft/2020-12/schema" },
    aliases: ["schema", "input_schema", "context"],
  },
}

/** What differs in one environment. */
export const ENVIRONMENT: FileMap = {
  name: "environment",
  required: [],
  keys: {
    ...OVERRIDABLE_KEYS,
    steps: {
      description: "Steps of the workflow, by name, each with what is different here. Backoff and config are merged.",
      schema: { type: "array" },
      holds: { as: "list", map: STEP },
      aliases: ["step_templates"],
    },
  },
}

/** A workflow file as a whole. */
export const WORKFLOW: FileMap = {
  name: "workflow",
  required: ["name", "version", "steps"],
  keys: {
    namespace: {
      description: "A team's or a domain's corner. Default: \"default\".",
      schema: name,
      aliases: ["namespace_name", "module_namespace"],
    },
    name: { description: "What the workflow is called in its namespace.", schema: name },
    version: {
      description: 'A semantic version, such as "1.2.0".',
      schema: { type: "string", pattern: VERSION, maxLength: 99 },
    },
    ...OVERRIDABLE_KEYS,
    events: {
      description: "The events that its steps may publish, each with the JSON Schema (2020-12) of its body.",
      schema: events,
      aliases: ["publishes", "custom_events", "emits"],
    },
    steps: {
      description: "The steps, in any order.",
      schema: { type: "array", maxItems: MAX_STEPS },
      holds: { as: "list", map: STEP },
      aliases: ["step_templates", "jobs", "tasks"],
    },
    environments: {
      description: "What is different where the workflow runs, by the name of the environment.",
      schema: { type: "object", propertyNames: name },
      holds: { as: "names", map: ENVIRONMENT },
      aliases: ["environment", "env"],
    },
  },
}

/** `max_attempts` → `maxAttempts`, as the builder calls it. */
export function optionName(key: string): string {
  return key.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())
}

/** `maxAttempts` → `max_attempts`. */
export function fileKeyOf(option: string): string {
  return option.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
}
