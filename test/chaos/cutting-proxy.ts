import { connect, createServer, type AddressInfo, type Socket } from "node:net"

/** Stands between workers and a server, and cuts connections instead of delivering answers. */
export interface CuttingProxy {
  /** The URL of the same database through it. */
  readonly url: string
  /** From now on, `isCut` is asked about each answer. */
  cutWhen(isCut: () => boolean): void
  /** Keeps the answer to the next statement that contains the text, on the wire, from whoever sent it. */
  withhold(text: string): Withheld
  /** How many answers were lost. */
  readonly cutCount: () => number
  close(): Promise<void>
}

/** An answer that is kept from whoever waits for it. */
export interface Withheld {
  /** Settles when the server has answered. */
  readonly answered: Promise<void>
  /** Cuts the connection, and with it the answer. */
  cut(): void
}

/**
 * Opens a proxy to a server. When an answer is cut, the statement has run, and was committed if it commits, and whoever
 * sent it cannot know.
 */
export async function openCuttingProxy(url: string): Promise<CuttingProxy> {
  const target = new URL(url)
  const sockets = new Set<Socket>()
  let isCut = (): boolean => false
  let withheld: { readonly text: string; readonly answered: () => void } | undefined
  let cutWithheld = (): void => {}
  let cuts = 0
  const server = createServer((client) => {
    const upstream = connect({ host: target.hostname, port: Number(target.port) })
    const end = (): void => {
      client.destroy()
      upstream.destroy()
    }
    for (const socket of [client, upstream]) {
      sockets.add(socket)
      socket.setNoDelay(true)
      socket.once("close", () => {
        sockets.delete(socket)
        end()
      })
      // Its `close` follows.
      socket.on("error", () => {})
    }
    let onAnswer: (() => void) | undefined
    client.on("data", (chunk: Buffer) => {
      if (withheld !== undefined && chunk.includes(withheld.text)) {
        onAnswer = withheld.answered
        withheld = undefined
        cutWithheld = end
      }
      upstream.write(chunk)
    })
    upstream.on("data", (chunk) => {
      if (onAnswer !== undefined) onAnswer()
      else if (isCut()) {
        cuts++
        end()
      } else client.write(chunk)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  const through = new URL(url)
  // A server that listens on a port has an address of this form.
  through.port = String((server.address() as AddressInfo).port)
  return {
    url: through.href,
    cutWhen: (decide) => {
      isCut = decide
    },
    withhold: (text) => {
      const answered = new Promise<void>((resolve) => {
        withheld = { text, answered: resolve }
      })
      return { answered, cut: () => cutWithheld() }
    },
    cutCount: () => cuts,
    close: async () => {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
