import { PermanentError, RetryableError } from "../core/error.ts"
import { parseRetryAfter } from "../core/retry-policy.ts"
import { hideSecrets } from "./hide-secrets.ts"
import type { PreparedRequest } from "./prepare-request.ts"
import { readStart } from "./read-body.ts"

/** How much of a body an error quotes. */
const EXCERPT_LENGTH = 200
/** How much of the body of an error is read, to find what it says. */
const ERROR_BODY_BYTES = 16_384

/** `GET https://shop.example/carts/1`: without the query, which may hold a key. */
export function describeRequest({ method, url, secrets }: PreparedRequest): string {
  return hideSecrets(`${method} ${url.origin}${url.pathname}`, secrets)
}

/**
 * The error for an answer that is no success.
 *
 * Another attempt may help when the server says when to come back, is busy or broken (429, 5xx), or gave up waiting
 * (408, 425). All else will not change by repeating it.
 */
export async function statusError(request: PreparedRequest, response: Response): Promise<Error> {
  const { status, statusText, headers } = response
  const said = await whatServerSaid(request, response)
  const message = `${describeRequest(request)} answered ${`${status} ${excerpt(statusText, request)}`.trim()}${said}`
  const code = `HTTP_${status}`
  const retryAfterMs = status >= 400 ? parseRetryAfter(headers.get("retry-after"), serverNow(headers)) : undefined
  const isTransient = status >= 500 || status === 408 || status === 425 || status === 429
  return isTransient || retryAfterMs !== undefined
    ? new RetryableError(message, { code, retryAfterMs })
    : new PermanentError(message, { code })
}

/** The error for a call that got no answer, or half of one. */
export function networkError(request: PreparedRequest, error: unknown): RetryableError {
  return new RetryableError(`${describeRequest(request)} got no answer: ${reasonOf(error)}`, {
    code: "HTTP_NO_ANSWER",
    cause: error,
  })
}

export function timeoutError(request: PreparedRequest, timeoutMs: number): RetryableError {
  return new RetryableError(`${describeRequest(request)} got no answer within ${timeoutMs} ms`, {
    code: "HTTP_TIMEOUT",
  })
}

/** The start of a text from a server, on one line, with the request's secrets hidden. */
export function excerpt(text: string, { secrets }: Pick<PreparedRequest, "secrets">): string {
  // Hidden before it is cut: half a secret would not be found.
  const line = hideSecrets(text, secrets)
    .replaceAll(/[\s\p{Cc}]+/gu, " ")
    .trim()
  return line.length > EXCERPT_LENGTH ? `${line.slice(0, EXCERPT_LENGTH)}…` : line
}

async function whatServerSaid(request: PreparedRequest, response: Response): Promise<string> {
  // The status is known and decides; a body that breaks off adds nothing.
  const { text } = await readStart(response, ERROR_BODY_BYTES).catch(() => ({ text: "" }))
  const said = excerpt(messageIn(text) ?? text, request)
  return said === "" ? "" : `: ${said}`
}

/** What most services call their message, and RFC 9457 its detail. */
function messageIn(text: string): string | undefined {
  if (!text.trimStart().startsWith("{")) return undefined
  try {
    // What starts with a brace and is JSON is an object.
    const body = JSON.parse(text) as Readonly<Record<string, unknown>>
    const nested = body["error"]
    const fields = typeof nested === "object" && nested !== null ? { ...body, ...nested } : body
    return [fields["message"], fields["detail"], fields["error"], fields["title"]].find(
      (said) => typeof said === "string",
    )
  } catch {
    return undefined
  }
}

/** The server measured its date by its own clock, so ours may be wrong by as much as it likes. */
function serverNow(headers: Headers): number {
  const date = Date.parse(headers.get("date") ?? "")
  return Number.isNaN(date) ? Date.now() : date
}

/** fetch says "fetch failed" and "terminated", and keeps the reason in `cause`. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const { cause } = error
  if (cause instanceof AggregateError) return reasonOf(cause.errors[0] ?? error)
  return cause instanceof Error && cause.message !== "" ? cause.message : error.message
}
