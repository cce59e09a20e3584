import { spawnSync } from "node:child_process"
import { chmod, lstat, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises"
import { createServer, get, type IncomingMessage, type Server } from "node:http"
import type { AddressInfo } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { PassThrough, Writable } from "node:stream"
import { WritableStream } from "node:stream/web"
import { text } from "node:stream/consumers"
import { afterEach, beforeEach, describe, expect, test } from "vitest"
import type { ExportTarget } from "./export-request.ts"
import { openSink } from "./export-sink.ts"
import { writeExport } from "./write-export.ts"

const chunk = "x".repeat(70_000)

/** Pieces that take as long as whoever writes them. */
async function* pieces(count: number, error?: Error): AsyncGenerator<string> {
  for (let index = 0; index < count; index++) yield chunk
  if (error !== undefined) throw error
}

async function write(
  to: ExportTarget,
  from: AsyncIterable<string>,
  signal = new AbortController().signal,
): Promise<number> {
  const sink = await openSink(to, "id", signal)
  try {
    return await writeExport(from, sink, signal, () => {})
  } catch (error) {
    await sink.discard(error instanceof Error ? error : new Error("no error"))
    throw error
  }
}

describe("a file", () => {
  let folder: string
  beforeEach(async () => void (folder = await mkdtemp(join(tmpdir(), "tasker-sink-"))))
  afterEach(async () => await rm(folder, { recursive: true }))

  test("has another name until it is whole", async () => {
    const to = join(folder, "out")
    const seen: string[][] = []
    async function* watched(): AsyncGenerator<string> {
      yield chunk
      yield chunk
      seen.push(await readdir(folder))
    }
    expect(await write(to, watched())).toBe(140_000)
    expect(seen).toEqual([["out.id.partial"]])
    expect(await readdir(folder)).toEqual(["out"])
    expect(await readFile(to, "utf8")).toBe(chunk + chunk)
  })

  test("is not there when the export failed, and the old one is", async () => {
    const to = join(folder, "out")
    await writeFile(to, "before")
    await expect(write(to, pieces(2, new Error("boom")))).rejects.toThrow("boom")
    expect(await readdir(folder)).toEqual(["out"])
    expect(await readFile(to, "utf8")).toBe("before")
  })

  test("in a folder that does not exist is refused", async () => {
    await expect(write(join(folder, "no", "out"), pieces(1))).rejects.toMatchObject({
      code: "TASKER_EXPORT_FAILED",
      message: expect.stringMatching(/no\/out does not take the export: ENOENT/),
    })
  })

  test("in the place of a folder is refused, and nothing is left", async () => {
    await mkdir(join(folder, "sub"))
    await writeFile(join(folder, "sub", "x"), "")
    await expect(write(join(folder, "sub"), pieces(1))).rejects.toMatchObject({ code: "TASKER_EXPORT_FAILED" })
    expect(await readdir(folder)).toEqual(["sub"])
  })
})

describe("what stands at the path of a file", () => {
  let folder: string
  beforeEach(async () => void (folder = await mkdtemp(join(tmpdir(), "tasker-sink-"))))
  afterEach(async () => await rm(folder, { recursive: true }))
  const modeOf = async (path: string): Promise<number> => (await stat(path)).mode & 0o777

  test("nothing: the new file is its owner's alone", async () => {
    await write(join(folder, "out"), pieces(1))
    expect(await modeOf(join(folder, "out"))).toBe(0o600)
  })

  test("a file: its mode is kept, whatever the umask", async () => {
    const to = join(folder, "out")
    await writeFile(to, "before")
    await chmod(to, 0o666)
    await write(to, pieces(1))
    expect(await modeOf(to)).toBe(0o666)
    expect(await readFile(to, "utf8")).toBe(chunk)
  })

  test("a link: it stays, and what it leads to is replaced", async () => {
    await mkdir(join(folder, "there"))
    await writeFile(join(folder, "there", "real"), "before")
    await symlink(join("there", "real"), join(folder, "out"))
    await write(join(folder, "out"), pieces(1))
    expect((await lstat(join(folder, "out"))).isSymbolicLink()).toBe(true)
    expect(await readFile(join(folder, "there", "real"), "utf8")).toBe(chunk)
    expect(await readdir(join(folder, "there"))).toEqual(["real"])
  })

  test("a link to nothing is refused, and stays", async () => {
    await symlink("nothing", join(folder, "out"))
    await expect(write(join(folder, "out"), pieces(1))).rejects.toMatchObject({ code: "TASKER_EXPORT_FAILED" })
    expect(await readdir(folder)).toEqual(["out"])
    expect((await lstat(join(folder, "out"))).isSymbolicLink()).toBe(true)
  })

  test("a pipe, or a link to a device, is refused, and stays", async () => {
    const pipe = join(folder, "pipe")
    expect(spawnSync("mkfifo", [pipe]).status).toBe(0)
    await symlink("/dev/null", join(folder, "null"))
    for (const to of [pipe, join(folder, "null")]) {
      await expect(write(to, pieces(1))).rejects.toMatchObject({
        code: "TASKER_EXPORT_FAILED",
        message: `expected a path of a file, got ${to}, which is no regular file`,
      })
    }
    expect((await lstat(pipe)).isFIFO()).toBe(true)
    expect(await readdir(folder)).toEqual(["null", "pipe"])
  })
})

describe("a stream of Node", () => {
  test("is ended when the export is whole", async () => {
    const through = new PassThrough()
    const read = text(through)
    expect(await write(through, pieces(3))).toBe(210_000)
    expect(await read).toBe(chunk.repeat(3))
  })

  test("is destroyed with the error when the export failed", async () => {
    const through = new PassThrough()
    const read = text(through)
    const error = new Error("boom")
    await expect(write(through, pieces(1, error))).rejects.toBe(error)
    await expect(read).rejects.toBe(error)
  })

  test("that fails fails the export with what it says", async () => {
    const full = new Writable({ write: (_chunk, _encoding, done) => done(new Error("disk full")) })
    await expect(write(full, pieces(5))).rejects.toMatchObject({
      code: "TASKER_EXPORT_FAILED",
      message: "the stream does not take the export: disk full",
    })
    expect(full.destroyed).toBe(true)
  })

  test("that was closed before takes nothing", async () => {
    const closed = new PassThrough()
    closed.destroy()
    await expect(write(closed, pieces(1))).rejects.toThrow("it was closed before")
  })

  test("that is closed in between, without an error and with a write that nobody answers, fails the export", async () => {
    const odd = new Writable({ write: () => setImmediate(() => odd.destroy()) })
    // As the response of an HTTP server to a client that has gone.
    odd.destroy = () => {
      odd.emit("close")
      return odd
    }
    await expect(write(odd, pieces(2))).rejects.toThrow("it was closed before the end")
  })

  test("that takes no more is waited for until the signal", async () => {
    const stuck = new Writable({ write: () => {} })
    await expect(write(stuck, pieces(2), AbortSignal.timeout(20))).rejects.toThrow("timeout")
    expect(stuck.destroyed).toBe(true)
    const unending = new Writable({ final: () => {} })
    await expect(write(unending, pieces(0), AbortSignal.timeout(20))).rejects.toThrow("timeout")
  })

  test("the terminal's is left open, so that the program can say more", () => {
    const built = new URL("../../../dist/client/exports/export-sink.js", import.meta.url).href
    const program = `
      import { openSink } from ${JSON.stringify(built)}
      const before = process.stdout.listenerCount("error") + process.stdout.listenerCount("close")
      for (const line of ["one", "two"]) {
        const sink = await openSink(process.stdout, "id", new AbortController().signal)
        await sink.write(Buffer.from(line))
        await sink.finish()
        await sink.discard(new Error("no"))
      }
      console.log("three")
      await new Promise((resolve) => setImmediate(() => setImmediate(resolve)))
      console.log(process.stdout.listenerCount("error") + process.stdout.listenerCount("close") - before)`
    const ran = spawnSync(process.execPath, ["--input-type=module", "-e", program], { encoding: "utf8" })
    expect(ran.stdout + ran.stderr).toBe("onetwothree\n0\n")
  })
})

describe("a response of an HTTP server", () => {
  let server: Server
  let outcome: Promise<unknown>
  let count: number

  beforeEach(async () => {
    server = createServer((_request, response) => {
      outcome = write(response, pieces(count)).catch((error: unknown) => error)
    })
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  })
  afterEach(async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })

  async function request(): Promise<IncomingMessage> {
    // It listens on TCP, so the address has a port.
    const { port } = server.address() as AddressInfo
    return await new Promise((resolve, reject) => get({ port, host: "127.0.0.1" }, resolve).on("error", reject))
  }

  test("reaches the client whole", async () => {
    count = 20
    expect(await text(await request())).toHaveLength(20 * 70_000)
    expect(await outcome).toBe(20 * 70_000)
  })

  test("to a client that goes away fails the export, and is not waited for", async () => {
    count = 10_000
    const response = await request()
    response.once("data", () => response.destroy())
    expect(await new Promise((resolve) => response.once("close", () => resolve(outcome)))).toMatchObject({
      code: "TASKER_EXPORT_FAILED",
      message: expect.stringContaining("the stream does not take the export"),
    })
  })

  test("breaks off when the export failed, so that the client sees it", async () => {
    server.removeAllListeners("request")
    server.on("request", (_request, response) => {
      outcome = write(response, pieces(2, new Error("boom"))).catch((error: unknown) => error)
    })
    await expect(request().then(async (response) => await text(response))).rejects.toThrow(/aborted|hang up/)
    expect(await outcome).toMatchObject({ message: "boom" })
  })
})

describe("a stream of the web", () => {
  function collecting(size = 1) {
    const written: Uint8Array[] = []
    const ends: string[] = []
    const stream = new WritableStream<Uint8Array>(
      {
        write: (bytes) => void written.push(bytes),
        close: () => void ends.push("closed"),
        abort: (reason) => void ends.push(String(reason)),
      },
      { highWaterMark: size },
    )
    return { stream, written, ends }
  }

  test("is closed when the export is whole", async () => {
    const { stream, written, ends } = collecting()
    expect(await write(stream, pieces(2))).toBe(140_000)
    expect(Buffer.concat(written).toString()).toBe(chunk + chunk)
    expect(ends).toEqual(["closed"])
  })

  test("is aborted with the error when the export failed", async () => {
    const { stream, ends } = collecting()
    await expect(write(stream, pieces(1, new Error("boom")))).rejects.toThrow("boom")
    expect(ends).toEqual(["Error: boom"])
    expect(stream.locked).toBe(false)
  })

  test("that takes no more is waited for until the signal", async () => {
    const stuck = new WritableStream<Uint8Array>({ write: async () => await new Promise(() => {}) })
    await expect(write(stuck, pieces(2), AbortSignal.timeout(20))).rejects.toThrow("timeout")
  })

  test("that fails fails the export", async () => {
    const full = new WritableStream<Uint8Array>({
      write: () => {
        throw new Error("disk full")
      },
    })
    await expect(write(full, pieces(2))).rejects.toMatchObject({
      code: "TASKER_EXPORT_FAILED",
      message: "the stream does not take the export: disk full",
    })
  })

  test("that somebody else writes to is refused", async () => {
    const { stream } = collecting()
    stream.getWriter()
    await expect(write(stream, pieces(1))).rejects.toMatchObject({ code: "TASKER_EXPORT_FAILED" })
  })
})
