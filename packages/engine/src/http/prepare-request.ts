import { PermanentError } from "../core/error.ts"
import type { ApiOptions, ApiRequest, CallingStep } from "./api-call.ts"
import { secretsIn } from "./hide-secrets.ts"

/** A request that fetch will take. */
export interface PreparedRequest {
  readonly url: URL
  readonly method: string
  readonly headers: Headers
  readonly body: PreparedBody | undefined
  /** What must not stand in any error. */
  readonly secrets: readonly string[]
}

type PreparedBody = string | Uint8Array<ArrayBuffer> | URLSearchParams | FormData | Blob

/** Methods that change nothing, so that repeating them cannot hurt (RFC 9110, 9.2.1). */
const SAFE_METHODS: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS", "TRACE"])

export function isSafeMethod(method: string): boolean {
  return SAFE_METHODS.has(method)
}

/**
 * Makes sure that a request can be sent, before anything is.
 *
 * @throws PermanentError `HTTP_REQUEST_INVALID`: the same request would fail in every attempt
 */
export function prepareRequest(
  request: ApiRequest & Pick<ApiOptions, "baseUrl" | "correlationHeader">,
  step: Omit<CallingStep, "signal">,
): PreparedRequest {
  const { baseUrl, correlationHeader } = request
  const method = (request.method ?? (request.body === undefined ? "GET" : "POST")).toUpperCase()
  const url = withQuery(
    baseUrl === undefined ? absoluteUrl(request.url) : urlBelow(baseUrl, request.url),
    request.query,
  )
  if (request.body !== undefined && (method === "GET" || method === "HEAD")) {
    throw invalid(`expected a ${method} request to have no body`)
  }
  const { body, contentType } = prepareBody(request.body)
  const headers = new Headers({ accept: "application/json" })
  if (contentType !== undefined) headers.set("content-type", contentType)
  for (const [name, value] of Object.entries(request.headers ?? {})) setHeader(headers, name, value)
  const key = request.idempotencyKey === undefined ? step.idempotencyKey : request.idempotencyKey
  if (key !== null && !isSafeMethod(method) && !headers.has("idempotency-key"))
    setHeader(headers, "idempotency-key", key)
  if (correlationHeader !== undefined) setCorrelation(headers, correlationHeader, step.correlationId)
  return { url, method, headers, body, secrets: secretsIn(request, url) }
}

function absoluteUrl(url: string | URL): URL {
  // What is wrong with the URL is not repeated: it may hold a password.
  if (!URL.canParse(String(url))) throw invalid("expected `url` to be absolute, since there is no `baseUrl`")
  return checkedUrl(new URL(url))
}

/**
 * `/carts/1` below `https://shop.example/v1` is `https://shop.example/v1/carts/1`, unlike what `new URL` says. So a
 * part of the path that came from outside (`//evil.example`, `../admin`) cannot lead anywhere else.
 */
function urlBelow(baseUrl: string | URL, url: string | URL): URL {
  if (!URL.canParse(String(baseUrl))) throw invalid("expected `baseUrl` to be an absolute URL")
  const base = checkedUrl(new URL(baseUrl))
  base.search = ""
  base.hash = ""
  base.pathname = base.pathname.replace(/\/*$/, "/")
  // A backslash is a slash to the parser of URLs.
  const joined = url instanceof URL ? url : new URL(base.href + String(url).replace(/^[/\\]+/, ""))
  if (joined.origin !== base.origin || !joined.pathname.startsWith(base.pathname)) {
    throw invalid(`expected \`url\` to be a path below ${base.origin}${base.pathname}`)
  }
  return checkedUrl(joined)
}

function checkedUrl(url: URL): URL {
  if (url.protocol !== "http:" && url.protocol !== "https:") {
    throw invalid(`expected a URL of http or https, got "${url.protocol}"`)
  }
  if (url.username !== "" || url.password !== "") {
    throw invalid("expected a URL without user and password; send them in an authorization header")
  }
  return url
}

function withQuery(url: URL, query: ApiRequest["query"]): URL {
  const result = new URL(url)
  for (const [name, values] of Object.entries(query ?? {})) {
    for (const value of [values].flat()) {
      if (value !== null && value !== undefined) result.searchParams.append(name, String(value))
    }
  }
  return result
}

function setHeader(headers: Headers, name: string, value: string): void {
  try {
    headers.set(name, value)
  } catch {
    // The error of fetch quotes the value, which may be a secret.
    throw invalid(`expected the header ${JSON.stringify(name)} to have a name and a value that HTTP allows`)
  }
}

function setCorrelation(headers: Headers, name: string, correlationId: string | undefined): void {
  if (correlationId === undefined) throw invalid("expected the step to have a correlationId for `correlationHeader`")
  // Whoever made the id up may have used letters that no header can hold.
  const isPlain = /^[\u0021-\u007e]+$/.test(correlationId)
  if (!hasHeader(headers, name)) setHeader(headers, name, isPlain ? correlationId : encodeURIComponent(correlationId))
}

/** False for what can be the name of no header. */
function hasHeader(headers: Headers, name: string): boolean {
  try {
    return headers.has(name)
  } catch {
    return false
  }
}

function prepareBody(body: unknown): { readonly body: PreparedBody | undefined; readonly contentType?: string } {
  if (body === undefined) return { body }
  if (typeof body === "string") return { body, contentType: "text/plain; charset=utf-8" }
  // A view of shared memory, the only other kind, cannot be sent; fetch says so.
  if (body instanceof Uint8Array) return { body: body as Uint8Array<ArrayBuffer> }
  if (body instanceof URLSearchParams || body instanceof FormData || body instanceof Blob) return { body }
  return { body: toJson(body), contentType: "application/json" }
}

function toJson(body: unknown): string {
  try {
    // Functions and symbols give undefined.
    const json = JSON.stringify(body) as string | undefined
    if (json !== undefined) return json
  } catch (error) {
    throw new PermanentError("expected the request body to be JSON", { code: "HTTP_REQUEST_INVALID", cause: error })
  }
  throw invalid(`expected the request body to be JSON, got a ${typeof body}`)
}

function invalid(message: string): PermanentError {
  return new PermanentError(message, { code: "HTTP_REQUEST_INVALID" })
}
