import type { StandardSchema } from "../core/schema.ts"
import type { StepContext } from "../core/workflow.ts"

/** One HTTP request, as a step asks for it. */
export interface ApiRequest {
  /**
   * Below `baseUrl` when there is one (`/carts/1`), else absolute. Only http and https. Encode what users gave
   * (`encodeURIComponent`).
   */
  readonly url: string | URL
  /** Default: GET, or POST when there is a body. */
  readonly method?: string | undefined
  /** Added to `accept: application/json`, and for a JSON body `content-type: application/json`. */
  readonly headers?: Readonly<Record<string, string>> | undefined
  /** Added to the URL's own query. A list repeats its name; `null` and `undefined` are left out. */
  readonly query?: Readonly<Record<string, QueryValue | readonly QueryValue[]>> | undefined
  /** Text, bytes, `URLSearchParams`, `FormData` and `Blob` are sent as they are, and anything else as JSON. */
  readonly body?: unknown
  /**
   * Sent as `Idempotency-Key` with methods that change something, so that the service does not do twice what an
   * earlier attempt did already. Two calls in one step need two keys. `null` sends none.
   * Default: the step's.
   */
  readonly idempotencyKey?: string | null | undefined
}

export type QueryValue = string | number | boolean | null | undefined

/** What is said of all calls alike. */
export interface ApiOptions<Body = unknown> {
  /** What `url` is below, such as `https://api.example.com/v1`. A URL that leads elsewhere is refused. */
  readonly baseUrl?: string | URL | undefined
  /** The longest that the whole call may take, with redirects and body. Default: as long as the step may. */
  readonly timeoutMs?: number | undefined
  /** The largest body that is read, after decompression. Default: 1,048,576 bytes. */
  readonly maxResponseBytes?: number | undefined
  /** How many redirects are followed; 0 follows none. Default: 5. */
  readonly maxRedirects?: number | undefined
  /**
   * Whether the body must be JSON. When false, `body` is undefined and `text` is all there is.
   * Default: true.
   */
  readonly expectJson?: boolean | undefined
  /**
   * The header by which the service is told the task's correlation id, such as `x-correlation-id`, so that its log can be
   * searched for the same. One that `headers` has already stays as it is. Default: none is sent.
   */
  readonly correlationHeader?: string | undefined
  /** What the body must be: a zod, valibot or arktype schema. Default: any JSON. */
  readonly responseSchema?: StandardSchema<unknown, Body> | undefined
}

/** A call that succeeded: its status is 200 to 299. */
export interface ApiResponse<Body = unknown> {
  readonly status: number
  readonly headers: Headers
  /** The parsed JSON, as `responseSchema` returned it; undefined when there was no body. */
  readonly body: Body
  /** The body as it came. */
  readonly text: string
}

/** What a call needs to know about the step that it is made in. */
export type CallingStep = Pick<StepContext<unknown, unknown>, "signal" | "idempotencyKey">
  & Partial<Pick<StepContext<unknown, unknown>, "correlationId">>
