import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"
import { setTimeout as sleep } from "node:timers/promises"
import { createFaults, type Fault, type SeededFault, SEEDED_FAULTS } from "./faults.ts"
import { answerRequest, createOrderBook, type ShopRequest, type ShopStats } from "./routes.ts"

/** A shop on loopback that speaks the contract of https://dummyjson.com, as far as an order needs it. */
export interface ShopServer {
  readonly url: string
  readonly stats: ShopStats
  close(): Promise<void>
}

/** Starts the shop. Its faults begin anew with each start. */
export async function startShopServer(faults: readonly SeededFault[] = SEEDED_FAULTS): Promise<ShopServer> {
  const stats: ShopStats = { requestCount: 0, faultCount: 0, orderCount: 0, repeatedCount: 0 }
  const book = createOrderBook(stats)
  const faultOf = createFaults(faults)

  const handle = async (message: IncomingMessage, response: ServerResponse): Promise<void> => {
    const request = await readRequest(message)
    stats.requestCount += 1
    const fault = faultOf(request.method, request.path, userIdOf(request.body))
    if (fault !== undefined) stats.faultCount += 1
    // Not waited for at the end: the listening server is what keeps the process.
    await sleep(fault?.kind === "slow" ? fault.delayMs : latencyMs(request.path), undefined, { ref: false })
    if (fault?.kind === "status") return sendFault(response, fault)
    const { status, body } = answerRequest(request, book)
    if (fault?.kind === "lost_answer") message.socket.destroy()
    else sendJson(response, status, body)
  }

  const server = createServer((message, response) => {
    handle(message, response).catch(() => message.socket.destroy())
  })
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject)
    server.listen(0, "127.0.0.1", resolve)
  })
  // A TCP server that listens has an address of this form.
  const { port } = server.address() as AddressInfo
  return { url: `http://127.0.0.1:${port}`, stats, close: () => closeServer(server) }
}

async function readRequest(message: IncomingMessage): Promise<ShopRequest> {
  let text = ""
  message.setEncoding("utf8")
  // setEncoding makes it a stream of text.
  for await (const chunk of message as AsyncIterable<string>) text += chunk
  const url = new URL(message.url ?? "/", "http://shop")
  const key = message.headers["idempotency-key"]
  return {
    method: message.method ?? "GET",
    path: url.pathname,
    select: url.searchParams.get("select")?.split(",") ?? [],
    idempotencyKey: typeof key === "string" ? key : undefined,
    body: text === "" ? undefined : JSON.parse(text),
  }
}

function userIdOf(body: unknown): number | undefined {
  return typeof body === "object" && body !== null && "userId" in body ? Number(body.userId) : undefined
}

/** As if it were far away, and the same for each path: the timelines of two runs look alike. */
function latencyMs(path: string): number {
  const hash = Buffer.from(path).reduce((sum, byte) => (sum * 31 + byte) % 997, 7)
  return 60 + (hash % 120)
}

function sendFault(
  response: ServerResponse,
  { status, message, retryAfter }: Extract<Fault, { kind: "status" }>,
): void {
  if (retryAfter !== undefined) response.setHeader("retry-after", retryAfter)
  sendJson(response, status, { message })
}

function sendJson(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { "content-type": "application/json; charset=utf-8" }).end(JSON.stringify(body))
}

async function closeServer(server: ReturnType<typeof createServer>): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()))
  server.closeAllConnections()
  await closed
}
