import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { TaskerError } from "../core/error.ts"
import { createRegistry, type RegistryOptions } from "./registry.ts"
import type { RegistryChange } from "./registry-change.ts"

interface Plugin {
  readonly name: string
  readonly level?: number
}

const options: RegistryOptions<Plugin, Plugin> = {
  registry: "plugin",
  kind: "plugin",
  toEntry: (plugin) => plugin,
  keyOf: (plugin) => plugin.name,
  labelOf: () => "a label",
  factsOf: ({ name, level = 0 }) => ({ name, level }),
  differenceOf: () => "and not by this one",
  invalidCode: "TASKER_PLUGIN_INVALID",
  conflictCode: "TASKER_NAME_TAKEN",
  conflictHint: "give it another name, or pass `replace: true`",
  onChange: () => {},
}

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
        code: "TASKER_NAME_TAKEN",
        message: 'plugin "csv" is already registered, and not by this one',
        hint: "give it another name, or pass `replace: true`",
      }),
    )
    expect(registry.get("csv")).toBe(csv)
    expect(registry.stats()).toMatchObject({ count: 1, registeredCount: 1, replacedCount: 0, refusedCount: 1 })
  })

  test("a conflict says where the one that stands there came from", () => {
    const registry = createRegistry<Plugin>(options)
    registry.register(csv, { source: "plugins/csv.js" })
    expect(() => registry.register({ name: "csv" }, { source: "plugins/other.js" })).toThrow(
      expect.objectContaining({
        message: 'plugin "csv" is already registered from plugins/csv.js, and not by this one',
        details: {
          kind: "plugin",
          key: "csv",
          difference: "and not by this one",
          standing: { source: "plugins/csv.js", name: "csv", level: 0 },
        },
      }),
    )
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
      refusedCount: 0,
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

  test("refuses options that it does not know", () => {
    const registry = createRegistry<Plugin>(options)
    // What a JavaScript user may pass.
    const typo = { replcae: true } as object
    expect(() => registry.register(csv, typo)).toThrow(
      expect.objectContaining({ code: "TASKER_OPTION_INVALID", message: expect.stringContaining('"replcae"') }),
    )
    expect(() => registry.unregister("csv", typo)).toThrow(expect.objectContaining({ code: "TASKER_OPTION_INVALID" }))
  })
})

describe("onChange", () => {
  function observed(overrides: Partial<RegistryOptions<Plugin, Plugin>> = {}) {
    const changes: RegistryChange[] = []
    const onChange = (change: RegistryChange): void => void changes.push(change)
    return { changes, registry: createRegistry<Plugin>({ ...options, onChange, ...overrides }) }
  }

  test("is told once of everything that is registered, replaced and unregistered, with the correlation id", () => {
    const { changes, registry } = observed()
    registry.register(csv, { correlationId: "c-1" })
    registry.register(csv)
    registry.register({ name: "csv", level: 2 }, { replace: true, source: "csv.js" })
    registry.unregister("csv", { correlationId: "c-2" })
    registry.unregister("csv")
    expect(changes).toEqual([
      {
        registry: "plugin",
        operation: "registered",
        key: "csv",
        source: null,
        facts: { name: "csv", level: 0 },
        correlationId: "c-1",
      },
      {
        registry: "plugin",
        operation: "replaced",
        key: "csv",
        source: "csv.js",
        facts: { name: "csv", level: 2 },
        replaced: { source: null, facts: { name: "csv", level: 0 } },
        correlationId: null,
      },
      {
        registry: "plugin",
        operation: "unregistered",
        key: "csv",
        source: "csv.js",
        facts: { name: "csv", level: 2 },
        correlationId: "c-2",
      },
    ])
  })

  test("is told of what is refused: a conflict, and what has no right shape", () => {
    const refusal = new TaskerError("TASKER_PLUGIN_INVALID", "no level")
    const { changes, registry } = observed({
      toEntry: (plugin) => {
        if (plugin.level === -1) throw refusal
        return plugin
      },
    })
    registry.register(csv)
    expect(() => registry.register({ name: "csv" }, { correlationId: "c-3" })).toThrow(/already registered/)
    expect(() => registry.register({ name: "x", level: -1 }, { source: "x.js" })).toThrow(refusal)
    expect(changes.slice(1)).toEqual([
      {
        registry: "plugin",
        operation: "validation_failed",
        key: "a label",
        source: null,
        error: expect.objectContaining({ code: "TASKER_NAME_TAKEN" }),
        correlationId: "c-3",
      },
      {
        registry: "plugin",
        operation: "validation_failed",
        key: "a label",
        source: "x.js",
        error: refusal,
        correlationId: null,
      },
    ])
    expect(registry.stats()).toMatchObject({ count: 1, refusedCount: 2 })
  })

  test("what throws while it is looked at is refused as unreadable", () => {
    const broken = new Error("boom")
    const { changes, registry } = observed({
      toEntry: () => {
        throw broken
      },
    })
    expect(() => registry.register(csv)).toThrow(
      expect.objectContaining({
        code: "TASKER_PLUGIN_INVALID",
        message: "this plugin cannot be read: boom",
        cause: broken,
      }),
    )
    expect(changes).toMatchObject([{ operation: "validation_failed" }])
  })

  test("may register more: the change is made when it is told", () => {
    const seen: (readonly string[])[] = []
    const registry = createRegistry<Plugin>({
      ...options,
      onChange: (change) => {
        seen.push(registry.list().map(({ name }) => name))
        if ("key" in change && change.key === "a") registry.register({ name: "b" })
      },
    })
    registry.register({ name: "a" })
    expect(seen).toEqual([["a"], ["a", "b"]])
  })
})
