import { isConnectionError } from "../core/database.ts"
import { TaskerError } from "../core/error.ts"

interface DriverError {
  readonly code?: string
  readonly message: string
}

/** The error of a statement, as Tasker throws it: the driver's own, but for those that are about the database as a whole. */
export function statementError(error: unknown): unknown {
  if (error instanceof TaskerError) return error
  if (isConnectionError(error)) {
    return new TaskerError("TASKER_DATABASE_UNAVAILABLE", `the connection was lost: ${asDriverError(error).message}`, {
      hint: "repeat the call; whether it took effect is unknown",
      cause: error,
    })
  }
  if (asDriverError(error).code !== "25006") return error
  return new TaskerError("TASKER_DATABASE_READ_ONLY", `the database is read-only: ${asDriverError(error).message}`, {
    hint: "connect to the primary",
    cause: error,
  })
}

/** The error of taking a connection out of the pool. */
export function checkOutError(error: unknown, poolSize: number, waitedMs: number): unknown {
  const { code, message } = asDriverError(error)
  if (message === "timeout exceeded when trying to connect") {
    return new TaskerError("TASKER_DATABASE_BUSY", `all ${poolSize} connections were in use for ${waitedMs} ms`, {
      hint: "raise poolSize",
      details: { poolSize, waitedMs },
    })
  }
  if (code === "53300") {
    return new TaskerError("TASKER_DATABASE_BUSY", `the server accepts no more clients: ${message}`, {
      hint: "raise the server's max_connections, lower poolSize, or start fewer workers",
      cause: error,
    })
  }
  return error
}

/** The error of the first connection: says where, and what to do. Never holds a password. */
export function connectError(error: unknown, displayUrl: string): TaskerError {
  const { code, message } = asDriverError(error)
  const details = { url: displayUrl }
  if (error instanceof TaskerError) return error
  if (code !== undefined && /^(28...|3D000|42501)$/.test(code)) {
    return new TaskerError(
      "TASKER_DATABASE_REFUSED",
      `PostgreSQL at ${displayUrl} refused the connection: ${message}`,
      {
        hint:
          code === "3D000"
            ? "create the database, or correct its name in the URL"
            : "check the user and password of the URL",
        cause: error,
        details,
      },
    )
  }
  const reason = message === "" ? (code ?? "no reason given") : message
  return new TaskerError("TASKER_DATABASE_UNAVAILABLE", `PostgreSQL at ${displayUrl} cannot be reached: ${reason}`, {
    hint: isConnectionError(error)
      ? "check that the server runs there and that nothing stands between"
      : "check the host, the port and the TLS options of the URL",
    cause: error,
    details,
  })
}

/** Whether a prepared statement must be prepared anew, because the tables that it reads were changed under it. */
export function isStalePlan(error: unknown): boolean {
  const { code, message } = asDriverError(error)
  return code === "0A000" && message.startsWith("cached plan must not change result type")
}

function asDriverError(error: unknown): DriverError {
  if (typeof error !== "object" || error === null) return { message: String(error) }
  // `code` is a SQLSTATE or an errno where there is one; both drivers and node say it so.
  const { code, message } = error as { code?: string; message?: string }
  return code === undefined ? { message: message ?? "" } : { code, message: message ?? "" }
}
