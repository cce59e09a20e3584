/* oxlint-disable max-classes-per-file -- all that Tasker and its handlers throw is read here as one list */

/** What a code means to a program: its HTTP status, and whether the same call may succeed later. */
export interface ErrorCodeEntry {
  readonly status: number
  readonly retryable: boolean
  /** When this error is raised, as one sentence without a full stop. */
  readonly meaning: string
  /** What to do about it, as a command. */
  readonly action?: string
}

/**
 * Every error that Tasker raises on purpose. The server, the CLI and
 * `docs/reference/errors.md` read this table. Codes are sorted, and are never
 * renamed or reused.
 */
export const ERROR_CODES = {
  TASKER_CLOSED: {
    status: 503,
    retryable: false,
    meaning: "this Tasker, database or worker was closed and is used again",
    action: "create a new one, or close it later",
  },
  TASKER_CONFIG_INVALID: {
    status: 500,
    retryable: false,
    meaning: "an option that Tasker was started with is unknown or out of its range",
    action: "correct the option that the message names",
  },
  TASKER_CURSOR_INVALID: {
    status: 400,
    retryable: false,
    meaning: "a page or a feed was asked for with a cursor that none before has given, or one of another database has",
    action: "pass `nextCursor` of the page before, or `cursor` of an event, unchanged; or none, to begin anew",
  },
  TASKER_DATABASE_BUSY: {
    status: 503,
    retryable: true,
    meaning: "no connection came free in time, in the pool or on the server",
    action: "raise `poolSize` or the server's `max_connections`, or start fewer workers",
  },
  TASKER_DATABASE_IN_USE: {
    status: 409,
    retryable: false,
    meaning: "another process holds this PGlite directory, and two on one directory lose data",
    action: "stop the other process, or use `embedded:` or `postgres://`, which many processes can share",
  },
  TASKER_DATABASE_NEWER: {
    status: 500,
    retryable: false,
    meaning: "the database was migrated by a newer Tasker than this one",
    action: "update the package to at least the version that migrated the database",
  },
  TASKER_DATABASE_READ_ONLY: {
    status: 503,
    retryable: true,
    meaning: "the database accepts no writes: a standby, or a read-only session",
    action: "connect to the primary",
  },
  TASKER_DATABASE_REFUSED: {
    status: 500,
    retryable: false,
    meaning: "PostgreSQL refused the user, the password or the database that the URL names",
    action: "check the user, the password and the database of the URL, and the server's `pg_hba.conf`",
  },
  TASKER_DATABASE_UNAVAILABLE: {
    status: 503,
    retryable: true,
    meaning: "the database cannot be reached, or the connection was lost",
    action: "check that PostgreSQL runs and that the URL is right; the call may be repeated",
  },
  TASKER_DATABASE_UNSUPPORTED: {
    status: 500,
    retryable: false,
    meaning: "the database is older than PostgreSQL 14, or lacks what Tasker needs",
    action: "use PostgreSQL 14 or newer",
  },
  TASKER_DATABASE_URL_INVALID: {
    status: 500,
    retryable: false,
    meaning: "the database URL has a form that Tasker does not know",
    action: "use `postgres://…`, `embedded:DIR`, `pglite:DIR` or `pglite:memory`",
  },
  TASKER_DISCOVERY_FAILED: {
    status: 422,
    retryable: false,
    meaning: "a folder that was searched cannot be read, or a file in it cannot be loaded or registered",
    action: "correct the files that the message names",
  },
  TASKER_EMBEDDED_START_FAILED: {
    status: 500,
    retryable: false,
    meaning: "the embedded PostgreSQL server did not start",
    action: "read the end of its log, which the message quotes",
  },
  TASKER_EMBEDDED_UNAVAILABLE: {
    status: 500,
    retryable: false,
    meaning:
      "the embedded PostgreSQL server cannot run here: no binaries for this platform, or no user that may run them",
    action: "use `postgres://…`, or `pglite:DIR` on one process",
  },
  TASKER_EVENT_INVALID: {
    status: 422,
    retryable: false,
    meaning:
      "a handler published an event that its step does not declare, whose body does not match the schema, is not JSON or is too large, or after its attempt had ended",
    action: "declare the event under `events`, and correct the paths listed in `details.problems`",
  },
  TASKER_EXPORT_FAILED: {
    status: 500,
    retryable: true,
    meaning: "an exporter threw, the file or stream took no more, or what was to be exported could not be read",
    action: "see the cause: nothing half-written is left, so the export can be run again",
  },
  TASKER_HANDLER_MISSING: {
    status: 500,
    retryable: false,
    meaning: "a step names a handler that was not given",
    action: "pass a function under the name that the message gives",
  },
  TASKER_INPUT_INVALID: {
    status: 422,
    retryable: false,
    meaning: "the input of a task does not match the workflow's schema, is not JSON, or is too large",
    action: "correct the paths listed in `details.problems`; store large values elsewhere and pass a reference",
  },
  TASKER_INTERNAL: {
    status: 500,
    retryable: false,
    meaning: "Tasker found itself in a state that it holds to be impossible",
    action: "report it with the message and the details",
  },
  TASKER_LEASE_LOST: {
    status: 409,
    retryable: false,
    meaning: "a worker answered for an attempt that is no longer its own",
    action: "nothing: the step was given to another worker, and this answer changed nothing",
  },
  TASKER_MIGRATION_CHANGED: {
    status: 500,
    retryable: false,
    meaning: "a migration that was applied differs from the file in this package",
    action: "install the released package again; released migrations are never edited",
  },
  TASKER_MIGRATION_FAILED: {
    status: 500,
    retryable: false,
    meaning: "a migration was refused by the database, and was rolled back",
    action: "read the cause; the database is as it was before this migration",
  },
  TASKER_NAME_TAKEN: {
    status: 409,
    retryable: false,
    meaning: "another plugin or subscriber is registered under this name",
    action: "give it another name, or pass `replace: true`",
  },
  TASKER_OPTION_INVALID: {
    status: 400,
    retryable: false,
    meaning: "an option or argument of a call is unknown, missing, or out of its range",
    action: "correct the option that the message names",
  },
  TASKER_PLUGIN_INVALID: {
    status: 422,
    retryable: false,
    meaning: "a plugin lacks members of its interface, or has misshapen ones",
    action: "correct the members listed in `details.problems`",
  },
  TASKER_PLUGIN_NOT_FOUND: {
    status: 404,
    retryable: false,
    meaning: "no plugin is registered under this name, or writes this format",
    action: "register it, or check the name or format against those in `details`",
  },
  TASKER_RESULT_INVALID: {
    status: 422,
    retryable: false,
    meaning: "the result of a step is not JSON, or is too large",
    action: "return plain JSON; store large values elsewhere and return a reference",
  },
  TASKER_STEP_NOT_FOUND: {
    status: 404,
    retryable: false,
    meaning: "the task has no step of this name",
    action: "check the name against the steps of the task",
  },
  TASKER_STEP_NOT_SKIPPABLE: {
    status: 409,
    retryable: false,
    meaning: "a step was to be skipped or bypassed whose workflow does not declare it skippable",
    action: "declare the step `skippable: true`, or resolve it with a result",
  },
  TASKER_STEP_TIMEOUT: {
    status: 504,
    retryable: true,
    meaning: "an attempt of a step took longer than the step's `timeoutMs`",
    action: "raise `timeoutMs`, and pass `signal` on to what the handler waits for",
  },
  TASKER_SUBSCRIBER_INVALID: {
    status: 422,
    retryable: false,
    meaning: "a subscriber lacks members of its interface, has misshapen ones, or names an event that cannot be",
    action: "correct the members listed in `details.problems`",
  },
  TASKER_SUBSCRIBER_NOT_FOUND: {
    status: 404,
    retryable: false,
    meaning: "no subscriber is registered under this name",
    action: "register it, or check the name against those in `details.names`",
  },
  TASKER_SUBSCRIPTION_FILE_INVALID: {
    status: 422,
    retryable: false,
    meaning: "a file of subscriptions is not readable, or breaks rules of the format",
    action: "correct the lines listed in `details.problems`",
  },
  TASKER_SUBSCRIPTION_HELD: {
    status: 409,
    retryable: true,
    meaning: "a durable subscription is to be deleted while a process handles its events",
    action: "stop the processes that subscribe under its name, and wait until their lease is over",
  },
  TASKER_SUBSCRIPTION_NOT_FOUND: {
    status: 404,
    retryable: false,
    meaning: "there is no durable subscription of this name",
    action: "check the name against those that `tasker.subscriptions.list()` returns",
  },
  TASKER_SUBSCRIPTION_TIMEOUT: {
    status: 504,
    retryable: true,
    meaning: "the handler of a durable subscription took longer over an event than its `timeoutMs`",
    action: "pass the handler's `signal` on to what it waits for, or raise `timeoutMs`",
  },
  TASKER_TASK_CANCELLED: {
    status: 409,
    retryable: false,
    meaning: "the task that was waited for was cancelled",
  },
  TASKER_TASK_FAILED: {
    status: 409,
    retryable: false,
    meaning: "the task that was waited for cannot go on, because a step failed for good",
    action: "read the error of the step in `cause`, then retry, skip or resolve the step",
  },
  TASKER_TASK_NOT_FOUND: {
    status: 404,
    retryable: false,
    meaning: "no task has this id",
    action: "check the id; a task that was pruned is gone",
  },
  TASKER_TRANSACTION_ENDED: {
    status: 500,
    retryable: false,
    meaning: "a transaction was used after its end, or was to be committed after one of its statements had failed",
    action: "await every statement inside the transaction, and let its errors pass",
  },
  TASKER_TRANSITION_INVALID: {
    status: 409,
    retryable: false,
    meaning: "the state that the task or step is in does not allow this",
    action: "look at the state in `details`, and at the table of states",
  },
  TASKER_WAIT_TIMEOUT: {
    status: 504,
    retryable: true,
    meaning: "the task did not end within the time that the caller gave",
    action: "wait again, or longer; the task goes on",
  },
  TASKER_WORKFLOW_CHANGED: {
    status: 409,
    retryable: false,
    meaning: "a different definition is already registered under this name and version",
    action: "give the changed workflow a new version, or pass `replace: true` while no task of it is live",
  },
  TASKER_WORKFLOW_FILE_INVALID: {
    status: 422,
    retryable: false,
    meaning: "a workflow file is not readable, or breaks rules of the format",
    action: "correct the lines listed in `details.problems`",
  },
  TASKER_WORKFLOW_INVALID: {
    status: 422,
    retryable: false,
    meaning: "a workflow definition breaks rules: names, dependencies, options or handlers",
    action: "correct the paths listed in `details.problems`",
  },
  TASKER_WORKFLOW_IN_USE: {
    status: 409,
    retryable: false,
    meaning: "a workflow was to be replaced or removed while tasks of it are live",
    action: "register the change under a new version",
  },
  TASKER_WORKFLOW_NOT_FOUND: {
    status: 404,
    retryable: false,
    meaning: "no workflow is registered under this namespace, name and version",
    action: "register it, or check the name and the version range",
  },
} as const satisfies Readonly<Record<`TASKER_${string}`, ErrorCodeEntry>>

/** A code of {@link ERROR_CODES}. */
export type ErrorCode = keyof typeof ERROR_CODES

/** What a {@link TaskerError} may carry beside its code and message. */
export interface TaskerErrorOptions {
  /** What to do about it, as a command to the reader. */
  readonly hint?: string | undefined
  /** The error underneath. */
  readonly cause?: unknown
  /** The values that the message mentions, for logs and for tests. */
  readonly details?: Readonly<Record<string, unknown>>
}

const brand = Symbol.for("tasker.error")
const retryableBrand = Symbol.for("tasker.retryable_error")
const permanentBrand = Symbol.for("tasker.permanent_error")

/**
 * An error raised on purpose, with a code to branch on.
 *
 * The message says what happened, with the values; the hint says what to do;
 * the code never changes once released. Branch on the code with
 * {@link isTaskerError}, not on the message, and not with `instanceof`, which
 * fails when two copies of this package are installed.
 */
export class TaskerError extends Error {
  override readonly name: string = "TaskerError"
  readonly [brand] = true
  readonly code: ErrorCode
  readonly hint: string | undefined
  readonly details: Readonly<Record<string, unknown>>

  constructor(code: ErrorCode, message: string, options: TaskerErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.hint = options.hint
    this.details = options.details ?? {}
  }
}

/** Whether `error` is a {@link TaskerError}, and of `code` when one is given. */
export function isTaskerError(error: unknown, code?: ErrorCode): error is TaskerError {
  // The brand is set by the constructor alone, so `code` is there.
  return isBranded(error, brand) && (code === undefined || (error as unknown as TaskerError).code === code)
}

/** What a handler may say about a failure that another attempt may cure. */
export interface RetryableErrorOptions {
  /** How long to wait at least before the next attempt, in milliseconds. Default: the step's backoff. */
  readonly retryAfterMs?: number | undefined
  /** A word for programs, stored with the step's error. Any string. */
  readonly code?: string | undefined
  readonly cause?: unknown
}

/**
 * Thrown by a step handler: another attempt may succeed. Any other error is
 * treated alike; this one can say when to try again.
 */
export class RetryableError extends Error {
  override readonly name: string = "RetryableError"
  readonly [retryableBrand] = true
  readonly retryAfterMs: number | undefined
  readonly code: string | undefined

  constructor(message: string, options: RetryableErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.retryAfterMs = options.retryAfterMs
    this.code = options.code
  }
}

/** What a handler may say about a failure that no attempt will cure. */
export interface PermanentErrorOptions {
  /** A word for programs, stored with the step's error. Any string. */
  readonly code?: string | undefined
  readonly cause?: unknown
}

/** Thrown by a step handler: no further attempt is made, and the step is in `error` at once. */
export class PermanentError extends Error {
  override readonly name: string = "PermanentError"
  readonly [permanentBrand] = true
  readonly code: string | undefined

  constructor(message: string, options: PermanentErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = options.code
  }
}

/** Whether `error` is a {@link RetryableError}, of any copy of this package. */
export function isRetryableError(error: unknown): error is RetryableError {
  return isBranded(error, retryableBrand)
}

/** Whether `error` is a {@link PermanentError}, of any copy of this package. */
export function isPermanentError(error: unknown): error is PermanentError {
  return isBranded(error, permanentBrand)
}

function isBranded(error: unknown, symbol: symbol): error is object {
  return typeof error === "object" && error !== null && symbol in error
}
