import { getEventListeners } from "node:events"
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"
import { gzipSync } from "node:zlib"
import { afterEach, beforeEach, describe, expect, expectTypeOf, test } from "vitest"
import { z } from "zod"
import { isPermanentError, isRetryableError } from "../core/error.ts"
import type { ApiOptions, ApiRequest, CallingStep } from "./api-call.ts"
import { callApi } from "./call-api.ts"

type Handle = (request: IncomingMessage, response: ServerResponse, body: string) => void

interface TestServer {
  readonly url: string
  readonly requests: {
    readonly method: string
    readonly url: string
    readonly headers: IncomingMessage["headers"]
    readonly body: string
  }[]
  handle: Handle
}

const servers: Server[] = []
let shop: TestServer

beforeEach(async () => {
  shop = await startServer()
})

afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
})

async function startServer(): Promise<TestServer> {
  const started: { handle: Handle; requests: TestServer["requests"] } = { handle: json({}), requests: [] }
  const server = createServer((request, response) => {
    let body = ""
    request.on("data", (chunk: Buffer) => (body += chunk.toString()))
    request.on("end", () => {
      started.requests.push({ method: request.method ?? "", url: request.url ?? "", headers: request.headers, body })
      started.handle(request, response, body)
    })
  })
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  // A TCP server that listens has an address of this form.
  return Object.assign(started, { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` })
}

function json(value: unknown, status = 200, headers: Record<string, string> = {}): Handle {
  return (_request, response) =>
    response.writeHead(status, { "content-type": "application/json", ...headers }).end(JSON.stringify(value))
}

function answer(status: number, headers: Record<string, string> = {}, body = ""): Handle {
  return (_request, response) => response.writeHead(status, headers).end(body)
}

const step: CallingStep = { signal: new AbortController().signal, idempotencyKey: "task-1:charge" }

function call<Body = unknown>(request: Partial<ApiRequest> & ApiOptions<Body> = {}) {
  return callApi(step, { url: `${shop.url}/carts/1`, ...request })
}

async function failure(promise: Promise<unknown>): Promise<Error & { code?: string; retryAfterMs?: number }> {
  return promise.then(
    () => expect.fail("expected the call to fail"),
    // Whatever is thrown here is an error, with or without these fields.
    (error: unknown) => error as Error & { code?: string; retryAfterMs?: number },
  )
}

describe("what is sent", () => {
  test("a GET asks for JSON, and carries no idempotency key", async () => {
    shop.handle = json({ id: 1 })
    const { status, body, text, headers } = await call()
    expect({ status, body, text }).toEqual({ status: 200, body: { id: 1 }, text: '{"id":1}' })
    expect(headers.get("content-type")).toBe("application/json")
    expect(shop.requests[0]).toMatchObject({ method: "GET", headers: { accept: "application/json" } })
    expect(shop.requests[0]?.headers).not.toHaveProperty("idempotency-key")
  })

  test("a body makes it a POST of JSON, with the step's idempotency key", async () => {
    await call({ body: { cents: 4_200 } })
    expect(shop.requests[0]).toMatchObject({
      method: "POST",
      body: '{"cents":4200}',
      headers: { "content-type": "application/json", "idempotency-key": "task-1:charge" },
    })
  })

  test("another idempotency key, or none, can be asked for", async () => {
    await call({ method: "DELETE", idempotencyKey: "task-1:charge:2" })
    await call({ method: "PUT", body: {}, idempotencyKey: null })
    expect(shop.requests.map(({ headers }) => headers["idempotency-key"])).toEqual(["task-1:charge:2", undefined])
  })

  test("the correlation id goes by the header that is named, and by none else", async () => {
    const correlated = { ...step, correlationId: "req-7" }
    const url = `${shop.url}/carts/1`
    await callApi(correlated, { url })
    await callApi(correlated, { url, correlationHeader: "X-Correlation-ID" })
    await callApi(correlated, { url, correlationHeader: "x-correlation-id", headers: { "X-Correlation-Id": "own" } })
    await callApi({ ...step, correlationId: "Anfrage 7\n é" }, { url, correlationHeader: "x-request-id" })
    const sent = shop.requests.map(({ headers }) => headers["x-correlation-id"] ?? headers["x-request-id"])
    expect(sent).toEqual([undefined, "req-7", "own", "Anfrage%207%0A%20%C3%A9"])
  })

  test.each([
    ["no correlation id", step, "x-correlation-id"],
    ["a name that no header can have", { ...step, correlationId: "req-7" }, "x correlation id"],
  ])("a correlation header with %s is permanent", async (_what, calling, correlationHeader) => {
    const error = await failure(callApi(calling, { url: shop.url, correlationHeader }))
    expect([isPermanentError(error), error.code, shop.requests]).toEqual([true, "HTTP_REQUEST_INVALID", []])
  })

  test("text and forms are sent as they are", async () => {
    await call({ body: "plain" })
    await call({ body: new URLSearchParams({ a: "1" }) })
    await call({ body: new TextEncoder().encode("bytes"), headers: { "content-type": "application/octet-stream" } })
    expect(shop.requests.map(({ body }) => body)).toEqual(["plain", "a=1", "bytes"])
    expect(shop.requests.map(({ headers }) => headers["content-type"])).toEqual([
      "text/plain; charset=utf-8",
      "application/x-www-form-urlencoded;charset=UTF-8",
      "application/octet-stream",
    ])
  })

  test("the query is added to the URL's own, lists repeat, nothing is left out", async () => {
    await call({
      url: `${shop.url}/products?limit=2`,
      query: { q: "a b&c", tag: ["x", "y"], skip: 0, none: null, gone: undefined },
    })
    expect(shop.requests[0]?.url).toBe("/products?limit=2&q=a+b%26c&tag=x&tag=y&skip=0")
  })

  test.each([
    ["carts/1", "/v1/carts/1"],
    ["/carts/1", "/v1/carts/1"],
    ["//evil.example/x", "/v1/evil.example/x"],
    ["https:evil", "/v1/https:evil"],
    ["?a=1", "/v1/?a=1"],
  ])("the URL %s is below the base URL", async (url, expected) => {
    await call({ baseUrl: `${shop.url}/v1?ignored=1`, url })
    expect(shop.requests[0]?.url).toBe(expected)
  })

  test.each([
    ["a way out of the base URL", { baseUrl: "https://a.example/v1", url: "/../admin" }, "below https://a.example/v1/"],
    [
      "a way out that is encoded",
      { baseUrl: "https://a.example/v1", url: "/%2e%2e/admin" },
      "below https://a.example/v1/",
    ],
    [
      "another origin",
      { baseUrl: "https://a.example", url: new URL("https://b.example/x") },
      "below https://a.example/",
    ],
    ["a relative URL without a base", { url: "/carts/1" }, "absolute"],
    ["a base URL that is none", { baseUrl: "shop", url: "/x" }, "expected `baseUrl`"],
    ["another scheme", { url: "file:///etc/passwd" }, 'got "file:"'],
    ["a password in the URL", { url: "http://me:hunter22@a.example" }, "without user and password"],
    ["a body with GET", { url: "http://a.example", method: "get", body: {} }, "GET request to have no body"],
    ["a body that is no JSON", { url: "http://a.example", body: () => 1 }, "got a function"],
    [
      "a header with a line break",
      { url: "http://a.example", headers: { "x-api-key": "hunter22\nx: y" } },
      '"x-api-key"',
    ],
  ])("refuses %s, for good and before it sends anything", async (_what, request, message) => {
    const error = await failure(callApi(step, request))
    expect(isPermanentError(error)).toBe(true)
    expect(error).toMatchObject({ code: "HTTP_REQUEST_INVALID", message: expect.stringContaining(message) })
    expect(`${error.message} ${error.stack}`).not.toContain("hunter22")
  })
})

describe("what comes back", () => {
  test.each([200, 201, 202, 203, 206, 226])("%i is a success", async (status) => {
    shop.handle = json({ ok: true }, status)
    await expect(call()).resolves.toMatchObject({ status, body: { ok: true } })
  })

  test.each([204, 205])("%i is a success without a body", async (status) => {
    shop.handle = answer(status)
    await expect(call({ method: "DELETE" })).resolves.toMatchObject({ status, body: undefined, text: "" })
  })

  test.each([300, 304, 400, 401, 402, 403, 404, 405, 409, 410, 413, 418, 422, 451])(
    "%i is permanent",
    async (status) => {
      shop.handle = json({ message: "no such cart" }, status)
      const error = await failure(call())
      expect(isPermanentError(error)).toBe(true)
      expect(error.code).toBe(`HTTP_${status}`)
      expect(error.message).toMatch(new RegExp(`^GET ${shop.url}/carts/1 answered ${status} `))
    },
  )

  test.each([408, 425, 429, 500, 502, 503, 504, 507])("%i may pass", async (status) => {
    shop.handle = answer(status)
    const error = await failure(call())
    expect(isRetryableError(error)).toBe(true)
    expect(error).toMatchObject({ code: `HTTP_${status}`, retryAfterMs: undefined })
  })

  test.each([429, 503, 500, 404, 409])("%i with Retry-After in seconds may pass, and then", async (status) => {
    shop.handle = answer(status, { "retry-after": "7" })
    const error = await failure(call())
    expect(isRetryableError(error)).toBe(true)
    expect(error.retryAfterMs).toBe(7_000)
  })

  test("a date in Retry-After counts from the server's clock, however wrong that is", async () => {
    shop.handle = answer(429, { date: "Wed, 21 Oct 2015 07:28:00 GMT", "retry-after": "Wed, 21 Oct 2015 07:28:30 GMT" })
    expect((await failure(call())).retryAfterMs).toBe(30_000)
  })

  test("a date in Retry-After that is past means now, and what is no date says nothing", async () => {
    shop.handle = answer(503, { "retry-after": "Wed, 21 Oct 2015 07:28:30 GMT" })
    expect((await failure(call())).retryAfterMs).toBe(0)
    shop.handle = answer(503, { "retry-after": "soon" })
    expect((await failure(call())).retryAfterMs).toBeUndefined()
    shop.handle = answer(404, { "retry-after": "soon" })
    expect(isPermanentError(await failure(call()))).toBe(true)
  })

  test.each([
    ['{"message":"Cart with id \'9\' not found"}', ": Cart with id '9' not found"],
    ['{"error":{"message":"declined","code":7}}', ": declined"],
    ['{"title":"Conflict","detail":"already paid"}', ": already paid"],
    ["<h1>Not\n\n\u0000  found</h1>", ": <h1>Not found</h1>"],
    ["{broken", ": {broken"],
    ["x".repeat(50_000), `: ${"x".repeat(200)}…`],
    ["", ""],
  ])("an error says what the server said: %#", async (body, said) => {
    shop.handle = answer(404, {}, body)
    expect((await failure(call())).message).toBe(`GET ${shop.url}/carts/1 answered 404 Not Found${said}`)
  })

  test("a server that is not there may come back", async () => {
    const error = await failure(call({ url: "http://127.0.0.1:1/x?key=hunter22" }))
    expect(isRetryableError(error)).toBe(true)
    expect(error.code).toBe("HTTP_NO_ANSWER")
    expect(error.message).toBe(
      error.message.includes("bad port")
        ? "GET http://127.0.0.1:1/x got no answer: bad port"
        : "GET http://127.0.0.1:1/x got no answer: connect ECONNREFUSED 127.0.0.1:1",
    )
  })

  test("a connection that breaks off, before or within the body, may come back", async () => {
    shop.handle = (request) => request.socket.destroy()
    expect(await failure(call())).toMatchObject({ code: "HTTP_NO_ANSWER" })
    shop.handle = (request, response) => {
      response.writeHead(200, { "content-length": "100" }).write("{")
      setImmediate(() => request.socket.destroy())
    }
    expect(await failure(call())).toMatchObject({ code: "HTTP_NO_ANSWER" })
  })
})

describe("what is expected of a body", () => {
  const cart = z.object({ id: z.number(), total: z.number().default(0) })

  test("the schema gives the body its type, and its defaults", async () => {
    shop.handle = json({ id: 1 })
    const { body } = await call({ responseSchema: cart })
    expectTypeOf(body).toEqualTypeOf<{ id: number; total: number }>()
    expect(body).toEqual({ id: 1, total: 0 })
  })

  test("a body that does not fit the schema is permanent, and the error names the place", async () => {
    shop.handle = json({ id: "one" })
    const error = await failure(call({ responseSchema: cart }))
    expect(isPermanentError(error)).toBe(true)
    expect(error).toMatchObject({ code: "HTTP_BODY_INVALID", message: expect.stringContaining("id: ") })
  })

  test("what is not JSON is said with its type and its start; reading it again may help, writing may not", async () => {
    shop.handle = answer(200, { "content-type": "text/html" }, `<h1>Maintenance</h1>${"x".repeat(500)}`)
    const read = await failure(call())
    expect(isRetryableError(read)).toBe(true)
    expect(read.code).toBe("HTTP_NOT_JSON")
    expect(read.message).toContain("to answer JSON, got text/html: <h1>Maintenance</h1>xxx")
    expect(read.message.length).toBeLessThan(350)
    expect(read.cause).toBeUndefined()
    expect(isPermanentError(await failure(call({ body: {} })))).toBe(true)
  })

  test("text is taken as it is when no JSON is expected", async () => {
    shop.handle = answer(200, { "content-type": "text/csv" }, "a,b")
    await expect(call({ expectJson: false })).resolves.toMatchObject({ body: undefined, text: "a,b" })
  })

  test("a byte order mark before JSON does not matter", async () => {
    shop.handle = answer(200, {}, '\uFEFF{"id":1}')
    await expect(call()).resolves.toMatchObject({ body: { id: 1 } })
  })

  test("a body of exactly the limit is read, and one byte more is permanent", async () => {
    shop.handle = answer(200, {}, JSON.stringify("x".repeat(98)))
    await expect(call({ maxResponseBytes: 100 })).resolves.toMatchObject({ status: 200 })
    const error = await failure(call({ maxResponseBytes: 99 }))
    expect(isPermanentError(error)).toBe(true)
    expect(error).toMatchObject({
      code: "HTTP_TOO_LARGE",
      message: `GET ${shop.url}/carts/1 answered more than 99 bytes`,
    })
  })

  test("the limit holds for a body that names no length, and for what it is after decompression", async () => {
    shop.handle = (_request, response) => {
      response.writeHead(200)
      const more = (): void =>
        void (response.write("x".repeat(65_536)) ? setImmediate(more) : response.once("drain", more))
      more()
    }
    expect(await failure(call({ maxResponseBytes: 1_000_000 }))).toMatchObject({ code: "HTTP_TOO_LARGE" })
    shop.handle = (_request, response) =>
      response.writeHead(200, { "content-encoding": "gzip" }).end(gzipSync("0".repeat(2_000_000)))
    expect(await failure(call())).toMatchObject({ code: "HTTP_TOO_LARGE" })
  })
})

describe("how long it may take", () => {
  test("a slow answer is given up after timeoutMs, and may pass", async () => {
    shop.handle = () => {}
    const error = await failure(call({ timeoutMs: 30 }))
    expect(isRetryableError(error)).toBe(true)
    expect(error).toMatchObject({ code: "HTTP_TIMEOUT", message: `GET ${shop.url}/carts/1 got no answer within 30 ms` })
  })

  test("so is a body that trickles", async () => {
    shop.handle = (_request, response) => void response.writeHead(200).write("{")
    expect(await failure(call({ timeoutMs: 50 }))).toMatchObject({ code: "HTTP_TIMEOUT" })
  })

  test("the step's signal ends the call with the signal's own reason", async () => {
    const controller = new AbortController()
    const reason = new Error("the task was cancelled")
    shop.handle = () => controller.abort(reason)
    const started = callApi({ ...step, signal: controller.signal }, { url: `${shop.url}/x`, timeoutMs: 10_000 })
    await expect(started).rejects.toBe(reason)
    await expect(callApi({ ...step, signal: controller.signal }, { url: `${shop.url}/x` })).rejects.toBe(reason)
    expect(shop.requests).toHaveLength(1)
  })
})

test("a call that is over leaves nothing on the step's signal", async () => {
  const { signal } = new AbortController()
  await callApi({ ...step, signal }, { url: `${shop.url}/x`, timeoutMs: 60_000 })
  expect(getEventListeners(signal, "abort")).toEqual([])
})

describe("redirects", () => {
  const secretHeaders = { authorization: "Bearer hunter22", "x-api-key": "hunter23", cookie: "session=hunter24" }

  test("within an origin they are followed with everything", async () => {
    shop.handle = (request, response, body) =>
      request.url === "/new"
        ? json({ body })(request, response, body)
        : answer(307, { location: "/new" })(request, response, body)
    await expect(call({ body: { a: 1 }, headers: secretHeaders })).resolves.toMatchObject({ body: { body: '{"a":1}' } })
    expect(shop.requests[1]).toMatchObject({
      method: "POST",
      headers: { ...secretHeaders, "idempotency-key": "task-1:charge" },
    })
  })

  test.each([301, 302, 303])("a POST that gets %i goes on as a GET without body", async (status) => {
    shop.handle = (request, response, body) =>
      request.url === "/new"
        ? json({})(request, response, body)
        : answer(status, { location: "/new" })(request, response, body)
    await call({ body: { a: 1 } })
    expect(shop.requests[1]).toMatchObject({ method: "GET", url: "/new", body: "" })
    expect(shop.requests[1]?.headers).not.toHaveProperty("content-type")
  })

  test("to another origin no credential goes", async () => {
    const other = await startServer()
    shop.handle = answer(302, { location: `${other.url.replace("http://", "http://u:p@")}/landing?x=1` })
    const headers = { ...secretHeaders, "accept-language": "de" }
    const correlated = { ...step, correlationId: "hunter25" }
    await callApi(correlated, { url: shop.url, headers, correlationHeader: "x-correlation-id" })
    expect(other.requests[0]).toMatchObject({ url: "/landing?x=1", headers: { "accept-language": "de" } })
    expect(JSON.stringify(other.requests[0])).not.toContain("hunter")
    expect(other.requests[0]?.headers).not.toHaveProperty("authorization")
  })

  test("to another origin no body goes", async () => {
    const other = await startServer()
    shop.handle = answer(308, { location: other.url })
    const error = await failure(call({ body: { password: "hunter22" } }))
    expect(isPermanentError(error)).toBe(true)
    expect(error).toMatchObject({
      code: "HTTP_REDIRECT",
      message: expect.stringContaining(`another origin, ${other.url}`),
    })
    expect(other.requests).toHaveLength(0)
  })

  test("five are followed, and the sixth is permanent", async () => {
    shop.handle = (request, response, body) => {
      const hops = Number(request.url?.slice(1))
      if (hops === 0) json({ arrived: true })(request, response, body)
      else answer(302, { location: `/${hops - 1}` })(request, response, body)
    }
    await expect(call({ url: `${shop.url}/5` })).resolves.toMatchObject({ body: { arrived: true } })
    expect(await failure(call({ url: `${shop.url}/6` }))).toMatchObject({
      code: "HTTP_REDIRECT",
      message: `GET ${shop.url}/6 was redirected more than 5 times`,
    })
  })

  test("none is followed when none is wanted, nor to another scheme", async () => {
    shop.handle = answer(302, { location: "/elsewhere" })
    expect(await failure(call({ maxRedirects: 0 }))).toMatchObject({ code: "HTTP_302" })
    shop.handle = answer(302, { location: "file:///etc/passwd" })
    expect(await failure(call())).toMatchObject({ code: "HTTP_REDIRECT", message: expect.stringContaining('"file:"') })
    shop.handle = answer(302, { location: "http://[" })
    expect(await failure(call())).toMatchObject({ code: "HTTP_REDIRECT" })
    shop.handle = answer(302)
    expect(await failure(call())).toMatchObject({ code: "HTTP_302" })
  })
})

describe("secrets", () => {
  const password = "s3cret-pass"
  const request = {
    headers: {
      authorization: `Basic ${Buffer.from(`shop:${password}`).toString("base64")}`,
      "x-api-key": "key-hunter22",
    },
    query: { token: "tok/hunter23" },
    body: { card: "4111111111111111" },
  }

  test.each([
    ["a status that is permanent", 403],
    ["a status that may pass", 503],
    ["a body that is no JSON", 200],
  ])("stand in no error, even when the server repeats them: %s", async (_what, status) => {
    shop.handle = ({ headers, url }, response) =>
      response
        .writeHead(status, { "content-type": "text/plain" })
        .end(`${String(headers["x-api-key"])} ${headers.authorization} ${url} ${password}`)
    const error = await failure(call(request))
    const everything = `${error.message} ${error.stack} ${JSON.stringify(error)} ${String(error.cause)}`
    for (const secret of ["hunter", password, request.headers.authorization.slice(6), "4111"]) {
      expect(everything).not.toContain(secret)
    }
    expect(error.message).toContain("[REDACTED] [REDACTED] /carts/1?token=[REDACTED] [REDACTED]")
  })
})
