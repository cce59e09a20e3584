import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { createRegistry } from "./registry.ts"

interface Plugin {
  readonly name: string
  readonly level?: number
}

const options = {
  kind: "plugin",
  keyOf: (plugin: Plugin) => plugin.name,
  conflictCode: "TASKER_WORKFLOW_CHANGED",
  conflictHint: "give it another name, or pass `replace: true`",
} as const

const csv = { name: "csv" }

describe("createRegistry", () => {
  test("gives back what was registered, in the order in which it came", () => {
    const registry = createRegistry<Plugin>(options)
    expect(registry.register({ name: "json" })).toEqual({ name: "json" })
    registry.register(csv)
    expect(registry.get("csv")).toBe(csv)
    expect(registry.get("xml")).toBeUndefined()
    expect(registry.list().map(({ name }) => name)).toEqual(["json", "csv"])
  })

  test("refuses another entry under the same key, and says what stands there and what to do", () => {
    const registry = createRegistry<Plugin>(options)
    registry.register(csv)
    expect(() => registry.register({ name: "csv" })).toThrow(
      expect.objectContaining({
        code: "TASKER_WORKFLOW_CHANGED",
        message: 'plugin "csv" is already registered, and not by this one',
        hint: "give it another name, or pass `replace: true`",
      }),
    )
    expect(registry.get("csv")).toBe(csv)
    expect(registry.stats()).toMatchObject({ count: 1, registeredCount: 1, replacedCount: 0 })
  })

  test("takes the same entry again, and one that means the same, without a change", () => {
    const registry = createRegistry<Plugin>({
      ...options,
      differenceOf: (one, other) => (one.level === other.level ? undefined : "with another level"),
    })
    registry.register(csv)
    expect(registry.register(csv)).toBe(csv)
    expect(registry.register(csv, { replace: true })).toBe(csv)
    expect(registry.register({ name: "csv" })).toBe(csv)
    expect(() => registry.register({ name: "csv", level: 2 })).toThrow(/is already registered, with another level$/)
    expect(registry.stats().registeredCount).toBe(1)
  })

  test("replaces when asked, in the same place of the order", () => {
    const registry = createRegistry<Plugin>(options)
    registry.register(csv)
    registry.register({ name: "json" })
    const next = { name: "csv", level: 2 }
    expect(registry.register(next, { replace: true })).toBe(next)
    expect(registry.list()).toEqual([next, { name: "json" }])
    expect(registry.stats()).toEqual({
      kind: "plugin",
      count: 2,
      registeredCount: 3,
      replacedCount: 1,
      unregisteredCount: 0,
    })
  })

  test("removes an entry once", () => {
    const registry = createRegistry<Plugin>(options)
    registry.register(csv)
    expect(registry.unregister("csv")).toBe(csv)
    expect(registry.unregister("csv")).toBeUndefined()
    expect(registry.list()).toEqual([])
    expect(registry.stats()).toMatchObject({ count: 0, unregisteredCount: 1 })
  })

  test("a list that is being walked stays as it was when others register and unregister", () => {
    const registry = createRegistry<Plugin>(options)
    for (const name of ["a", "b", "c"]) registry.register({ name })
    const walked: string[] = []
    for (const { name } of registry.list()) {
      walked.push(name)
      registry.unregister("b")
      registry.register({ name: `${name}${name}` })
    }
    expect(walked).toEqual(["a", "b", "c"])
    expect(registry.list().map(({ name }) => name)).toEqual(["a", "c", "aa", "bb", "cc"])
  })

  test("the list is the same one until something changes, and nobody can change it", () => {
    const registry = createRegistry<Plugin>(options)
    registry.register(csv)
    expect(registry.list()).toBe(registry.list())
    expect(Object.isFrozen(registry.list())).toBe(true)
  })

  test("names that mean something on every object are keys like any other", () => {
    const registry = createRegistry<Plugin>(options)
    expect(registry.get("constructor")).toBeUndefined()
    registry.register({ name: "__proto__" })
    expect(registry.list()).toHaveLength(1)
  })

  test("behaves as a map of the latest entries, whatever is done in whatever order", () => {
    const name = fc.constantFrom("a", "b", "c")
    const action = fc.record({ name, what: fc.constantFrom("register", "replace", "unregister") })
    fc.assert(
      fc.property(fc.array(action), (actions) => {
        const registry = createRegistry<Plugin>({ ...options, differenceOf: () => undefined })
        const model = new Map<string, Plugin>()
        for (const [level, { name: key, what }] of actions.entries()) {
          const entry = { name: key, level }
          if (what === "unregister") expect(registry.unregister(key)).toBe(model.get(key))
          else registry.register(entry, { replace: what === "replace" })
          if (what === "unregister") model.delete(key)
          else if (what === "replace" || !model.has(key)) model.set(key, entry)
        }
        expect(registry.list()).toEqual([...model.values()])
        const { count, registeredCount, replacedCount, unregisteredCount } = registry.stats()
        expect(count).toBe(registeredCount - replacedCount - unregisteredCount)
      }),
    )
  })
})
