import { describe, expect, it } from "vitest"
import { createLimiter } from "./limiter.ts"

/** Work that ends when the test says so. */
function heldWork(
  log: string[],
  name: string,
): { readonly work: () => Promise<string>; readonly end: (error?: Error) => void } {
  let end: (error?: Error) => void = () => {}
  const ended = new Promise<string>((resolve, reject) => {
    end = (error) => (error === undefined ? resolve(name) : reject(error))
  })
  const work = async () => {
    log.push(name)
    return await ended
  }
  return { work, end }
}

const turn = async () => await new Promise(setImmediate)

describe("createLimiter", () => {
  it("runs so many at once, and the rest in their order", async () => {
    const limit = createLimiter(2)
    const log: string[] = []
    const [a, b, c, d] = ["a", "b", "c", "d"].map((name) => heldWork(log, name))
    const results = [a!, b!, c!, d!].map(({ work }) => limit(work))
    await turn()
    expect(log).toEqual(["a", "b"])
    b!.end()
    await turn()
    expect(log).toEqual(["a", "b", "c"])
    a!.end()
    c!.end()
    d!.end()
    expect(await Promise.all(results)).toEqual(["a", "b", "c", "d"])
  })

  it("work that fails gives its place to the next", async () => {
    const limit = createLimiter(1)
    const log: string[] = []
    const [a, b] = [heldWork(log, "a"), heldWork(log, "b")]
    const [first, second] = [limit(a.work), limit(b.work)]
    a.end(new Error("no"))
    await expect(first).rejects.toThrow("no")
    b.end()
    expect(await second).toBe("b")
    await expect(limit(async () => "c")).resolves.toBe("c")
  })
})
