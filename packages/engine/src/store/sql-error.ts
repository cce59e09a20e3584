import { type ErrorCode, TaskerError } from "../core/error.ts"

/**
 * What each SQLSTATE that our functions raise means. The functions say which
 * situation it is; nobody has to guess it from the message.
 */
export const SQL_ERRORS = {
  TK001: { code: "TASKER_LEASE_LOST" },
  TK010: { code: "TASKER_WORKFLOW_CHANGED", hint: "give the changed workflow a new version" },
  TK011: { code: "TASKER_WORKFLOW_IN_USE", hint: "give the changed workflow a new version" },
  TK020: { code: "TASKER_WORKFLOW_NOT_FOUND", hint: "register the workflow, or check the name and the version" },
  TK021: { code: "TASKER_OPTION_INVALID", hint: "bypass only steps that are declared skippable" },
  TK022: { code: "TASKER_OPTION_INVALID" },
  TK030: { code: "TASKER_TASK_NOT_FOUND" },
  TK031: { code: "TASKER_STEP_NOT_FOUND" },
  TK032: { code: "TASKER_TRANSITION_INVALID" },
  TK033: { code: "TASKER_STEP_NOT_SKIPPABLE", hint: "resolve the step with a result instead" },
  TK040: { code: "TASKER_INTERNAL" },
} as const satisfies Readonly<Record<string, { readonly code: ErrorCode; readonly hint?: string }>>

/** The SQLSTATE of an error that came from the database; `undefined` for any other. */
export function sqlState(error: unknown): string | undefined {
  if (typeof error !== "object" || error === null || !("code" in error)) return undefined
  return typeof error.code === "string" ? error.code : undefined
}

/** The error that a caller sees: ours by its code, any other as it is. */
export function asTaskerError(error: unknown, details: Readonly<Record<string, unknown>> = {}): unknown {
  const state = sqlState(error)
  if (state === undefined || !isOurs(state) || !(error instanceof Error)) return error
  const entry: { readonly code: ErrorCode; readonly hint?: string } = SQL_ERRORS[state]
  // The functions give the state that forbids it as the error's detail.
  const forbidding = state === "TK032" && "detail" in error ? error.detail : undefined
  return new TaskerError(entry.code, error.message, {
    hint: entry.hint ?? WAYS_ON.get(forbidding),
    cause: error,
    details: forbidding === undefined ? details : { ...details, state: forbidding },
  })
}

/** What one may do instead, in states that something else leads out of. */
const WAYS_ON: ReadonlyMap<unknown, string> = new Map([
  ["in_progress", "wait until what runs has ended, or cancel the task"],
  ["error", "retry, skip or resolve what failed, or resolve the task"],
])

function isOurs(state: string): state is keyof typeof SQL_ERRORS {
  return Object.hasOwn(SQL_ERRORS, state)
}
