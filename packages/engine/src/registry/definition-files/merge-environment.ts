import { isName } from "../../core/names.ts"
import { EXPONENTIAL_KEYS } from "./file-keys.ts"
import { type Located, type LocatedEntry, type LocatedMap, textAt, valueAt } from "./located.ts"

/**
 * A workflow file as one environment sees it: what the environment says stands
 * in place of what the workflow says. Steps are matched by name, and keep their
 * order; `backoff` and `config` are merged, all else is replaced. Each value
 * keeps the place where it was written.
 *
 * Steps that the workflow does not have are left out, unless `addUnknownSteps`
 * is set, so that their values can be checked along with the others.
 */
export function mergeEnvironment(
  root: LocatedMap,
  environment: Located | undefined,
  { addUnknownSteps = false }: { readonly addUnknownSteps?: boolean } = {},
): LocatedMap {
  const base = withEntries(
    root,
    [...root.entries].filter(([key]) => key !== "environments"),
  )
  if (environment?.kind !== "map") return base
  const merged = new Map(base.entries)
  for (const [key, entry] of environment.entries) {
    if (key === "steps") mergeSteps(merged, entry, addUnknownSteps)
    else setMerged(merged, key, entry)
  }
  return withEntries(base, merged)
}

function mergeSteps(merged: Map<string, LocatedEntry>, overrides: LocatedEntry, addUnknownSteps: boolean): void {
  const written = merged.get("steps")
  if (written?.value.kind !== "list" || overrides.value.kind !== "list") return
  const byName = new Map(overrides.value.items.map((item) => [textAt(item, "name"), item]))
  const items = written.value.items.map((step) => {
    const name = textAt(step, "name")
    return name === undefined ? step : mergeStep(step, byName.get(name))
  })
  const names = new Set(items.map((step) => textAt(step, "name")))
  const unknown = [...byName].flatMap(([name, step]) => (isName(name) && !names.has(name) ? [step] : []))
  merged.set("steps", {
    ...written,
    value: { ...written.value, items: [...items, ...(addUnknownSteps ? unknown : [])] },
  })
}

function mergeStep(step: Located, override: Located | undefined): Located {
  if (step.kind !== "map" || override?.kind !== "map") return step
  const merged = new Map(step.entries)
  for (const [key, entry] of override.entries) if (key !== "name") setMerged(merged, key, entry)
  return withEntries(step, merged)
}

function setMerged(merged: Map<string, LocatedEntry>, key: string, entry: LocatedEntry): void {
  const written = merged.get(key)
  const value =
    written === undefined || (key !== "backoff" && key !== "config")
      ? entry.value
      : mergeValues(key === "backoff" ? sameKind(written.value, entry.value) : written.value, entry.value)
  merged.set(key, { keyAt: entry.keyAt, value })
}

/** Maps are merged key by key, at any depth; anything else is replaced. */
function mergeValues(written: Located, override: Located): Located {
  if (written.kind !== "map" || override.kind !== "map") return override
  const merged = new Map(written.entries)
  for (const [key, entry] of override.entries) {
    const before = merged.get(key)
    merged.set(key, before === undefined ? entry : { ...entry, value: mergeValues(before.value, entry.value) })
  }
  return withEntries(override, merged)
}

/** A backoff without the keys that have no meaning beside those of the override: a list replaces a growth, and the reverse. */
function sameKind(written: Located, override: Located): Located {
  if (written.kind !== "map") return written
  const dropped = valueAt(override, "delays_ms") === undefined ? [] : EXPONENTIAL_KEYS
  const grows = EXPONENTIAL_KEYS.some((key) => valueAt(override, key) !== undefined)
  const unwanted = new Set([...dropped, ...(grows ? ["delays_ms"] : [])])
  return withEntries(
    written,
    [...written.entries].filter(([key]) => !unwanted.has(key)),
  )
}

function withEntries(map: LocatedMap, entries: Iterable<readonly [string, LocatedEntry]>): LocatedMap {
  return { ...map, entries: new Map(entries) }
}
