import { createHash } from "node:crypto"
import type { WorkflowId } from "../core/workflow.ts"
import { oneOf } from "../core/option-rules.ts"
import { objectRule, textRule } from "./argument-rules.ts"
import { assertArgument, assertOptions } from "./assert-argument.ts"

/** Within what an identity is the same: the workflow in all its versions, the namespace, or everything. */
export type IdentityScope = "workflow" | "namespace" | "global"

/** What makes a second request the same as a first one. */
export type TaskIdentity = UniqueIdentity | HashIdentity | KeyIdentity

/** Nothing: every request is a new task. */
export interface UniqueIdentity {
  readonly strategy: "unique"
}

interface SharedIdentity {
  /** Default: `workflow`. */
  readonly scope?: IdentityScope | undefined
  /**
   * What to do when the first task failed or was cancelled: `return` it, or `create` another, which then holds the identity.
   *
   * Default: `return`.
   */
  readonly onFailed?: "return" | "create" | undefined
}

/** The same workflow and the same input, whatever the order of its keys. */
export interface HashIdentity extends SharedIdentity {
  readonly strategy: "hash"
}

/** The same key. */
export interface KeyIdentity extends SharedIdentity {
  readonly strategy: "key"
  /** 1 to 500 characters. */
  readonly key: string
}

const SHARED_RULES = {
  strategy: oneOf(["unique", "hash", "key"]),
  scope: oneOf(["workflow", "namespace", "global"]),
  onFailed: oneOf(["return", "create"]),
}
const RULES = {
  unique: { strategy: SHARED_RULES.strategy },
  hash: SHARED_RULES,
  key: { ...SHARED_RULES, key: textRule(500) },
}

/**
 * Checks what a caller gave as `identity`.
 *
 * @throws TaskerError `TASKER_OPTION_INVALID`
 */
export function assertIdentity(identity: TaskIdentity): void {
  assertArgument("identity", identity, objectRule)
  assertArgument("identity.strategy", identity.strategy, SHARED_RULES.strategy)
  assertOptions(`the identity strategy "${identity.strategy}"`, identity, RULES[identity.strategy])
  if (identity.strategy === "key") assertArgument("identity.key", identity.key, RULES.key.key)
}

/**
 * The key under which one task stands at most; `undefined` when every request is a new task.
 *
 * @param input - JSON, as it will be stored
 */
export function identityKey(identity: TaskIdentity, workflow: WorkflowId, input: string): string | undefined {
  if (identity.strategy === "unique") return undefined
  const scope = scopePrefix(identity.scope ?? "workflow", workflow)
  return identity.strategy === "key" ? `${scope}:key:${identity.key}` : `${scope}:hash:${hashOf(workflow, input)}`
}

// Names hold no ":" or "/", so no two scopes can be confused.
function scopePrefix(scope: IdentityScope, { namespace, name }: WorkflowId): string {
  if (scope === "global") return "global"
  return scope === "namespace" ? `namespace:${namespace}` : `workflow:${namespace}/${name}`
}

function hashOf({ namespace, name }: WorkflowId, input: string): string {
  return createHash("sha256").update(`${namespace}/${name}\n`).update(canonicalJson(input)).digest("hex")
}

/** The same text for the same JSON: keys in one order, no spaces. */
function canonicalJson(json: string): string {
  return JSON.stringify(JSON.parse(json, sortKeys))
}

function sortKeys(_key: string, value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value
  // No prototype, so that a key "__proto__" is a key like any other.
  const sorted = Object.create(null) as Record<string, unknown>
  for (const [key, item] of Object.entries(value).toSorted(([one], [other]) => (one < other ? -1 : 1)))
    sorted[key] = item
  return sorted
}
