import { PermanentError, RetryableError } from "../core/error.ts"
import { MAX_DELAY_MS } from "../core/retry-policy.ts"
import type { StandardSchemaIssue } from "../core/schema.ts"
import { type CallSpan, traceCall } from "../tracing/call-span.ts"
import type { ApiOptions, ApiRequest, ApiResponse, CallingStep } from "./api-call.ts"
import { type Answer, followRedirects } from "./follow-redirects.ts"
import { describeRequest, excerpt, networkError, statusError, timeoutError } from "./http-error.ts"
import { isSafeMethod, type PreparedRequest, prepareRequest } from "./prepare-request.ts"
import { readBody, TOO_LARGE } from "./read-body.ts"

const DEFAULT_MAX_RESPONSE_BYTES = 1_048_576
const DEFAULT_MAX_REDIRECTS = 5

/**
 * Makes one HTTP call inside a step handler, and throws what the engine knows how to retry. For a step that is one
 * call, there is {@link apiStep}.
 *
 * With OpenTelemetry the call is a span of its own below the step's, and the server gets its `traceparent`, unless the
 * headers have one.
 *
 * No error holds the headers, the query or the body that was sent. Where a server repeats a value of the headers or of
 * the query, it is hidden.
 *
 * @param step - the handler's context, or its `signal`, `idempotencyKey` and `correlationId`
 * @returns the answer, when its status is 200 to 299 and its body is as expected
 * @throws RetryableError for 408, 425, 429 and 5xx, and for any status from 400 that comes with `Retry-After`, which is
 *   obeyed; code `HTTP_<status>`. For a network that fails (`HTTP_NO_ANSWER`), and for `timeoutMs` (`HTTP_TIMEOUT`)
 * @throws PermanentError for any other status; code `HTTP_<status>`. For a body that is too large (`HTTP_TOO_LARGE`) or
 *   does not fit `responseSchema` (`HTTP_BODY_INVALID`), for redirects that are too many or lead astray
 *   (`HTTP_REDIRECT`), and for a request that cannot be sent (`HTTP_REQUEST_INVALID`)
 * @throws RetryableError or, where the call may have changed something, PermanentError for a body that is not JSON
 *   (`HTTP_NOT_JSON`)
 *
 * @example
 * ```ts
 * const handler: StepHandler<Order, {}, number> = async (step) => {
 *   const prices = await Promise.all(
 *     step.input.productIds.map((id) => callApi(step, { baseUrl, url: `/products/${id}`, responseSchema: product })),
 *   )
 *   return prices.reduce((sum, { body }) => sum + body.price, 0)
 * }
 * ```
 */
export async function callApi<Body = unknown>(
  step: CallingStep,
  call: ApiRequest & ApiOptions<Body>,
): Promise<ApiResponse<Body>> {
  step.signal.throwIfAborted()
  const request = prepareRequest(call, step)
  const { answer, text } = await traceCall(request, (span) => receive(request, call, step.signal, span))
  const { status, headers } = answer.response
  return { status, headers, body: await parseBody(request.method, answer, text, call), text }
}

async function receive(
  prepared: PreparedRequest,
  options: ApiOptions,
  signal: AbortSignal,
  span: CallSpan,
): Promise<{ readonly answer: Answer; readonly text: string }> {
  const { timeoutMs, maxRedirects = DEFAULT_MAX_REDIRECTS } = options
  const { maxResponseBytes = DEFAULT_MAX_RESPONSE_BYTES } = options
  const deadline = startDeadline(signal, timeoutMs)
  try {
    const answer = await followRedirects(prepared, maxRedirects, deadline.signal)
    span.answered(answer.response.status)
    if (!answer.response.ok) throw await statusError(answer.request, answer.response)
    const text = await readBody(answer.response, maxResponseBytes)
    if (text === TOO_LARGE) throw tooLarge(answer.request, maxResponseBytes)
    return { answer, text }
  } catch (error) {
    signal.throwIfAborted()
    if (error instanceof RetryableError || error instanceof PermanentError) throw error
    // Only a deadline of the call's own can have run out here, so there is a timeoutMs.
    if (deadline.signal.aborted) throw timeoutError(prepared, timeoutMs ?? 0)
    throw networkError(prepared, error)
  } finally {
    deadline.stop()
  }
}

interface Deadline {
  readonly signal: AbortSignal
  readonly stop: () => void
}

/**
 * A signal that aborts with the step's, or after a time. Not AbortSignal.timeout and AbortSignal.any: their timers
 * live on after a call that was quick, and Node 20 keeps what they hold (nodejs/node#54614).
 */
function startDeadline(outer: AbortSignal, timeoutMs: number | undefined): Deadline {
  if (timeoutMs === undefined) return { signal: outer, stop: () => {} }
  const own = new AbortController()
  const abort = (): void => own.abort()
  const timer = setTimeout(abort, Math.min(timeoutMs, MAX_DELAY_MS))
  outer.addEventListener("abort", abort, { once: true })
  const stop = (): void => {
    clearTimeout(timer)
    outer.removeEventListener("abort", abort)
  }
  return { signal: own.signal, stop }
}

function tooLarge(request: PreparedRequest, maxBytes: number): PermanentError {
  const message = `${describeRequest(request)} answered more than ${maxBytes} bytes`
  return new PermanentError(message, { code: "HTTP_TOO_LARGE" })
}

async function parseBody<Body>(
  method: string,
  { request, response }: Answer,
  text: string,
  { expectJson = true, responseSchema }: ApiOptions<Body>,
): Promise<Body> {
  let body: unknown
  if (expectJson && text !== "") {
    try {
      body = JSON.parse(text)
    } catch {
      // The parser's error quotes the text with whatever secrets are in it.
      throw notJson(method, request, response, text)
    }
  }
  // Without a schema, Body is unknown unless the caller claims to know.
  if (responseSchema === undefined) return body as Body
  const result = await responseSchema["~standard"].validate(body)
  if (result.issues === undefined) return result.value
  const problems = excerpt(result.issues.map(describeIssue).join("; "), request)
  throw new PermanentError(`${describeRequest(request)} answered a body that was not expected: ${problems}`, {
    code: "HTTP_BODY_INVALID",
  })
}

/**
 * A page of a proxy is gone a moment later, so reading may be repeated. But a POST that got its 200 has done what it
 * was to do, and must not do it twice.
 */
function notJson(method: string, request: PreparedRequest, response: Response, text: string): Error {
  const type = excerpt(response.headers.get("content-type") ?? "no content type", request)
  const message = `expected ${describeRequest(request)} to answer JSON, got ${type}: ${excerpt(text, request)}`
  const options = { code: "HTTP_NOT_JSON" }
  return isSafeMethod(method) ? new RetryableError(message, options) : new PermanentError(message, options)
}

function describeIssue({ path = [], message }: StandardSchemaIssue): string {
  const keys = path.map((part) => String(typeof part === "object" ? part.key : part))
  return keys.length === 0 ? message : `${keys.join(".")}: ${message}`
}
