import { once } from "node:events"
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"
import { gunzipSync } from "node:zlib"
import { decodeTraces, type ReceivedSpan } from "./test-otlp-decoder.ts"

/** A collector of a test's own, on a socket. */
export interface OtlpReceiver {
  readonly url: string
  /** All spans so far, in the order in which they came. */
  readonly spans: readonly ReceivedSpan[]
  readonly requests: readonly { readonly path: string; readonly headers: IncomingMessage["headers"] }[]
  /** What it answers; 200 at first. */
  status: number
  /** Waits for spans. */
  until(isThere: (spans: readonly ReceivedSpan[]) => boolean): Promise<void>
  close(): Promise<void>
}

/** @param wanted - the port; any that is free by default */
export async function startOtlpReceiver(wanted = 0): Promise<OtlpReceiver> {
  const spans: ReceivedSpan[] = []
  const requests: { path: string; headers: IncomingMessage["headers"] }[] = []
  let onArrival: () => void = () => {}
  const server = createServer((request, response) => void receive(request, response))

  async function receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = []
    request.on("data", (chunk: Buffer) => chunks.push(chunk))
    await once(request, "end")
    requests.push({ path: request.url ?? "", headers: request.headers })
    const body = Buffer.concat(chunks)
    const sent = request.headers["content-encoding"] === "gzip" ? gunzipSync(body) : body
    if (receiver.status === 200) spans.push(...decodeTraces(sent))
    response.writeHead(receiver.status, { "content-type": "application/x-protobuf" }).end()
    onArrival()
  }

  await new Promise<void>((resolve) => server.listen(wanted, "127.0.0.1", resolve))
  // It listens on a port.
  const { port } = server.address() as AddressInfo
  const receiver: OtlpReceiver = {
    url: `http://127.0.0.1:${port}`,
    spans,
    requests,
    status: 200,
    async until(isThere) {
      while (!isThere(spans)) {
        await new Promise<void>((resolve) => {
          onArrival = resolve
        })
      }
    },
    async close() {
      server.closeAllConnections()
      await new Promise<void>((resolve) => server.close(() => resolve()))
    },
  }
  return receiver
}
