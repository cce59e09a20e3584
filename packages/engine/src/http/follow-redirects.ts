import { PermanentError } from "../core/error.ts"
import { isPublicHeader } from "./hide-secrets.ts"
import { describeRequest } from "./http-error.ts"
import { isSafeMethod, type PreparedRequest } from "./prepare-request.ts"

/** What came back, and to which request of the chain. */
export interface Answer {
  readonly response: Response
  readonly request: PreparedRequest
}

/**
 * Sends a request, and follows its redirects.
 *
 * fetch would follow them too, but up to 20, and it drops only `authorization` and cookies on the way to another
 * origin: not `x-api-key`, nor a body with a password in it. Here only headers that say nothing go there, and no
 * body does.
 *
 * @param maxRedirects - 0 returns the first answer, whatever it is
 * @throws PermanentError `HTTP_REDIRECT`
 */
export async function followRedirects(
  prepared: PreparedRequest,
  maxRedirects: number,
  signal: AbortSignal,
): Promise<Answer> {
  let request = prepared
  for (let followed = 0; ; followed += 1) {
    const { method, headers } = request
    const body = request.body === undefined ? {} : { body: request.body }
    const response = await fetch(request.url, { method, headers, ...body, signal, redirect: "manual" })
    const location = isRedirect(response.status) ? response.headers.get("location") : null
    if (location === null || maxRedirects === 0) return { response, request }
    // An unread body would keep its connection.
    await response.body?.cancel()
    if (followed === maxRedirects) {
      throw refused(prepared, `was redirected more than ${maxRedirects} ${maxRedirects === 1 ? "time" : "times"}`)
    }
    request = redirected(request, response.status, location)
  }
}

function isRedirect(status: number): boolean {
  return status === 301 || status === 302 || status === 303 || status === 307 || status === 308
}

function redirected(request: PreparedRequest, status: number, location: string): PreparedRequest {
  if (!URL.canParse(location, request.url.href)) throw refused(request, "was redirected to a URL that cannot be read")
  const url = new URL(location, request.url)
  if (url.protocol !== "http:" && url.protocol !== "https:") {
    throw refused(request, `was redirected to a URL of "${url.protocol}"`)
  }
  url.username = ""
  url.password = ""
  const next = becomesGet(status, request.method) ? asGet(request) : request
  if (url.origin === request.url.origin) return { ...next, url }
  if (next.body !== undefined) throw refused(request, `was redirected with its body to another origin, ${url.origin}`)
  const headers = new Headers([...next.headers].filter(([name]) => isPublicHeader(name)))
  return { ...next, url, headers }
}

/** What every browser does, and RFC 9110 allows: 303 always turns into a GET, 301 and 302 turn a POST into one. */
function becomesGet(status: number, method: string): boolean {
  if (status === 303) return !isSafeMethod(method)
  return (status === 301 || status === 302) && method === "POST"
}

function asGet(request: PreparedRequest): PreparedRequest {
  const headers = new Headers(request.headers)
  headers.delete("content-type")
  headers.delete("idempotency-key")
  return { ...request, method: "GET", headers, body: undefined }
}

function refused(request: PreparedRequest, what: string): PermanentError {
  return new PermanentError(`${describeRequest(request)} ${what}`, { code: "HTTP_REDIRECT" })
}
