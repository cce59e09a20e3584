import { TaskerError } from "../core/error.ts"
import { encodeJson } from "../core/json.ts"
import { didYouMean } from "../core/names.ts"
import { priorityRule } from "../core/option-rules.ts"
import type { JsonValue } from "../core/schema.ts"
import { isThenable } from "../core/thenable.ts"
import type { Priority } from "../core/workflow.ts"
import { dateRule, objectRule, reasonRule, stepNamesRule, tagsRule, whoRule } from "./argument-rules.ts"
import { assertOptions } from "./assert-argument.ts"
import type { ClientRooms, FoundWorkflow } from "./client-rooms.ts"
import { assertIdentity, identityKey, type TaskIdentity } from "./identity-key.ts"

/** What one may say about a task beside its input. */
export interface TaskOptions<StepName extends string = string> {
  /** What makes a second request the same as this one. Default: `{ strategy: "unique" }`, nothing. */
  readonly identity?: TaskIdentity | undefined
  /** To find it by: at most 50, each of 1 to 200 characters. */
  readonly tags?: readonly string[] | undefined
  /** To find it by: an object of at most 65,536 bytes of JSON. */
  readonly attributes?: Readonly<Record<string, JsonValue>> | undefined
  /** 1 is the most urgent, 4 the least. Default: the workflow's. */
  readonly priority?: Priority | undefined
  /** When its first steps may run, at the earliest. Default: at once. */
  readonly runAt?: Date | undefined
  /** Why it is created; for its history. */
  readonly reason?: string | undefined
  /** Who creates it; for its history. */
  readonly initiator?: string | undefined
  readonly sourceSystem?: string | undefined
  /**
   * What follows it through other systems: it is on every log line and in every event about the task, in whatever process,
   * and handlers are given it. Default: the task's id.
   */
  readonly correlationId?: string | undefined
  /** Names of skippable steps that are skipped from the start. */
  readonly bypass?: readonly StepName[] | undefined
}

const MAX_ATTRIBUTES_BYTES = 65_536

const UNIQUE: TaskIdentity = Object.freeze({ strategy: "unique" })

export const TASK_RULES = {
  identity: objectRule,
  tags: tagsRule,
  attributes: objectRule,
  priority: priorityRule,
  runAt: dateRule,
  reason: reasonRule,
  initiator: whoRule,
  sourceSystem: whoRule,
  correlationId: whoRule,
  bypass: stepNamesRule,
}

/**
 * Checks a request for a task, and writes it as JSON for `tasker.create_tasks`.
 *
 * @param traceContext - what the task's spans are children of
 * @returns a promise only if the input's schema gives one
 * @throws TaskerError `TASKER_OPTION_INVALID`, `TASKER_STEP_NOT_FOUND`, `TASKER_STEP_NOT_SKIPPABLE`, `TASKER_INPUT_INVALID`
 */
export function taskRequest(
  rooms: ClientRooms,
  found: FoundWorkflow,
  input: unknown,
  options: TaskOptions,
  traceContext: string | undefined,
): EncodedRequest | PromiseLike<EncodedRequest> {
  assertOptions("createTask", options, TASK_RULES)
  assertIdentity(options.identity ?? UNIQUE)
  assertBypass(found, options.bypass ?? [])
  const valid = found.validateInput(input)
  if (!isThenable(valid)) return encodeRequest(rooms, found, valid, options, traceContext)
  return valid.then((settled) => encodeRequest(rooms, found, settled, options, traceContext))
}

function encodeRequest(
  rooms: ClientRooms,
  { workflow, workflowId }: FoundWorkflow,
  input: unknown,
  options: TaskOptions,
  traceContext: string | undefined,
): EncodedRequest {
  const { identity = UNIQUE, tags = [], attributes = {}, bypass = [] } = options
  const attributesJson = encodeJson(attributes, {
    what: "attributes",
    maxBytes: MAX_ATTRIBUTES_BYTES,
    code: "TASKER_OPTION_INVALID",
  })
  const inputJson = encodeJson(input, {
    what: "input",
    maxBytes: rooms.limits.inputBytes,
    code: "TASKER_INPUT_INVALID",
  })
  const fields = JSON.stringify({
    workflow_id: workflowId,
    priority: options.priority,
    run_at: options.runAt,
    identity_key: identityKey(identity, workflow, inputJson),
    on_failed: identity.strategy === "unique" ? undefined : identity.onFailed,
    bypass: bypass.length === 0 ? undefined : bypass,
    tags: tags.length === 0 ? undefined : [...new Set(tags)],
    reason: options.reason,
    initiator: options.initiator,
    source_system: options.sourceSystem,
    correlation_id: options.correlationId,
    trace_context: traceContext,
  })
  const attributesField = attributesJson === "{}" ? "" : `,"attributes":${attributesJson}`
  // The input is JSON already, and may be large.
  const json = `${fields.slice(0, -1)},"input":${inputJson}${attributesField}}`
  return {
    json,
    correlationId: options.correlationId ?? null,
    isPlain: bypass.length === 0 && workflow.steps.length > 0,
  }
}

/** A request as `tasker.create_tasks` takes it, and what is told of it. */
export interface EncodedRequest {
  readonly json: string
  readonly correlationId: string | null
  /** Whether creating the task writes nothing into history but that. */
  readonly isPlain: boolean
}

function assertBypass({ workflow }: FoundWorkflow, bypass: readonly string[]): void {
  const { steps, namespace, name, version } = workflow.definition
  for (const stepName of bypass) {
    const step = steps.find((candidate) => candidate.name === stepName)
    const details = { step: stepName, namespace, name, version }
    if (step === undefined) {
      const names = steps.map((candidate) => candidate.name)
      throw new TaskerError(
        "TASKER_STEP_NOT_FOUND",
        `cannot bypass step "${stepName}": ${namespace}/${name}@${version} has no such step`,
        {
          hint: didYouMean(stepName, names),
          details: { ...details, steps: names },
        },
      )
    }
    if (!step.skippable) {
      throw new TaskerError(
        "TASKER_STEP_NOT_SKIPPABLE",
        `cannot bypass step "${stepName}" of ${namespace}/${name}@${version}: it is not skippable`,
        {
          hint: "declare the step `skippable: true`",
          details,
        },
      )
    }
  }
}
