import { once } from "node:events"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"

/** Takes whatever is sent to it, and forgets it. */
export interface Collector {
  readonly url: string
  /** How many bytes it took. */
  readonly bytes: number
  close(): Promise<void>
}

export async function startCollector(): Promise<Collector> {
  let bytes = 0
  const server = createServer((request, response) => {
    request.on("data", (chunk: Buffer) => (bytes += chunk.length))
    request.on("end", () => response.end())
  }).listen(0, "127.0.0.1")
  await once(server, "listening")
  // It listens on a port.
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    get bytes() {
      return bytes
    },
    async close() {
      server.closeAllConnections()
      server.close()
      await once(server, "close")
    },
  }
}
