import { describe, expect, it } from "vitest"
import { createHints } from "./hints.ts"

describe("createHints", () => {
  it("tells those who listen to that hint, and nobody else", () => {
    const hints = createHints()
    const heard: string[] = []
    hints.on("ready", () => heard.push("ready"))
    hints.on("ended", () => heard.push("ended"))
    hints.emit("ready")
    hints.emit("cancelled")
    expect(heard).toEqual(["ready"])
  })

  it("a function that listens twice hears twice, and stops once at a time", () => {
    const hints = createHints()
    let count = 0
    const listener = () => void (count += 1)
    const stops = [hints.on("ready", listener), hints.on("ready", listener)]
    hints.emit("ready")
    expect(count).toBe(2)
    stops[0]?.()
    stops[0]?.()
    hints.emit("ready")
    expect(count).toBe(3)
    stops[1]?.()
    hints.emit("ready")
    expect(count).toBe(3)
  })
})
