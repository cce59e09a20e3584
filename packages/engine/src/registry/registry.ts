import { checkOptions } from "../core/check-options.ts"
import { messageOf } from "../core/describe-value.ts"
import { type ErrorCode, isTaskerError, TaskerError } from "../core/error.ts"
import { flagRule, type OptionRule } from "../core/option-rules.ts"
import type { EntryFacts, OnRegistryChange, RegistryName } from "./registry-change.ts"

export interface RegistryOptions<Entry, Given> {
  readonly registry: RegistryName
  /** What an entry is, in the singular: `workflow`. Starts the messages. */
  readonly kind: string
  /**
   * Makes the entry of what was given, and throws what is wrong with it: those without a compiler may give anything.
   */
  readonly toEntry: (given: Given) => Entry
  /** The name under which there is one entry at most. */
  readonly keyOf: (entry: Entry) => string
  /** What to call something that may be no entry; `undefined` when it has no name. */
  readonly labelOf: (given: unknown) => string | undefined
  readonly factsOf: (entry: Entry) => EntryFacts
  /**
   * How an entry differs from the one under the same key, to follow "is already registered"; `undefined` when
   * both mean the same, and the first one stays.
   */
  readonly differenceOf: (existing: Entry, entry: Entry) => string | undefined
  /** Of an entry that `toEntry` cannot even read. */
  readonly invalidCode: ErrorCode
  readonly conflictCode: ErrorCode
  /** What to do about a conflict, as a command. */
  readonly conflictHint: string
  /** Told of every operation. */
  readonly onChange: OnRegistryChange
}

export interface UnregisterOptions {
  /** Goes with the event and the log line, to follow the change through other systems. Default: none. */
  readonly correlationId?: string | undefined
}

export interface RegisterOptions extends UnregisterOptions {
  /** Whether to take the place of an entry with the same key. Default: false. */
  readonly replace?: boolean | undefined
  /** Where the entry comes from, such as a file. A conflict names it. Default: nothing is said. */
  readonly source?: string | undefined
}

export interface RegistryStats {
  readonly kind: string
  /** How many entries there are now. */
  readonly count: number
  /** How often an entry was added or replaced, since the start. */
  readonly registeredCount: number
  readonly replacedCount: number
  readonly unregisteredCount: number
  /** How often an entry was not taken: it was misshapen, or another one stood under its key. */
  readonly refusedCount: number
}

/** Entries by key, in the order in which their keys first came. Its members are functions that may be handed on. */
export interface Registry<Entry, Given> {
  /**
   * Adds an entry. An entry that means the same as the one that is there changes nothing.
   *
   * @returns the entry that stands now
   * @throws TaskerError of `conflictCode` when another entry has its key, unless `replace` is set
   */
  readonly register: (given: Given, options?: RegisterOptions) => Entry
  /** Removes an entry, and returns it; `undefined` when there was none. */
  readonly unregister: (key: string, options?: UnregisterOptions) => Entry | undefined
  readonly get: (key: string) => Entry | undefined
  /**
   * All entries as they are now. A list that was returned never changes, whoever registers while it is
   * walked; and it is the same list for as long as nothing changes.
   */
  readonly list: () => readonly Entry[]
  readonly stats: () => RegistryStats
}

interface Held<Entry> {
  readonly entry: Entry
  readonly source: string | null
}

const textRule: OptionRule = {
  rule: "text of 1 to 1000 characters",
  accepts: (value) => typeof value === "string" && value.length > 0 && value.length <= 1_000,
}
const UNREGISTER_RULES = { correlationId: textRule }
export const REGISTER_RULES = { replace: flagRule, source: textRule, ...UNREGISTER_RULES }

/**
 * Makes a registry: the mechanism that those of workflows, plugins and
 * subscribers share. What an entry must look like is said by whoever makes it;
 * what it is looked up by, other than its key, is derived from `list`.
 */
export function createRegistry<Entry, Given = Entry>(options: RegistryOptions<Entry, Given>): Registry<Entry, Given> {
  const { registry, kind, keyOf, factsOf, onChange } = options
  const entries = new Map<string, Held<Entry>>()
  const counts = { registeredCount: 0, replacedCount: 0, unregisteredCount: 0, refusedCount: 0 }
  let snapshot: readonly Entry[] | undefined

  function register(given: Given, registerOptions: RegisterOptions = {}): Entry {
    checkOptions("register", registerOptions, REGISTER_RULES, "TASKER_OPTION_INVALID")
    const { replace = false, source = null, correlationId = null } = registerOptions
    let held: Held<Entry>
    try {
      held = { entry: options.toEntry(given), source }
      const standing = entries.get(keyOf(held.entry))
      if (standing !== undefined && !replaces(options, held, standing, replace)) return standing.entry
    } catch (thrown) {
      const error = asTaskerError(options, thrown)
      counts.refusedCount += 1
      const key = options.labelOf(given) ?? null
      onChange({ registry, operation: "validation_failed", key, source, error, correlationId })
      throw error
    }
    const change = { registry, key: keyOf(held.entry), source, facts: factsOf(held.entry), correlationId }
    const standing = entries.get(change.key)
    entries.set(change.key, held)
    snapshot = undefined
    counts.registeredCount += 1
    if (standing === undefined) onChange({ operation: "registered", ...change })
    else {
      counts.replacedCount += 1
      const replaced = { source: standing.source, facts: factsOf(standing.entry) }
      onChange({ operation: "replaced", ...change, replaced })
    }
    return held.entry
  }

  function unregister(key: string, unregisterOptions: UnregisterOptions = {}): Entry | undefined {
    checkOptions("unregister", unregisterOptions, UNREGISTER_RULES, "TASKER_OPTION_INVALID")
    const { correlationId = null } = unregisterOptions
    const standing = entries.get(key)
    if (standing === undefined) return undefined
    const { entry, source } = standing
    entries.delete(key)
    snapshot = undefined
    counts.unregisteredCount += 1
    onChange({ registry, operation: "unregistered", key, source, facts: factsOf(entry), correlationId })
    return entry
  }

  function list(): readonly Entry[] {
    snapshot ??= Object.freeze([...entries.values()].map(({ entry }) => entry))
    return snapshot
  }

  return Object.freeze({
    register,
    unregister,
    get: (key: string) => entries.get(key)?.entry,
    list,
    stats: () => ({ kind, count: entries.size, ...counts }),
  })
}

/** Whether an entry takes the place of the one that stands under its key, or changes nothing. */
function replaces<Entry, Given>(
  options: RegistryOptions<Entry, Given>,
  held: Held<Entry>,
  standing: Held<Entry>,
  replace: boolean,
): boolean {
  if (standing.entry === held.entry) return false
  if (replace) return true
  const difference = options.differenceOf(standing.entry, held.entry)
  if (difference === undefined) return false
  const { kind, keyOf, factsOf, conflictCode, conflictHint } = options
  const key = keyOf(standing.entry)
  const from = standing.source === null ? "" : ` from ${standing.source}`
  throw new TaskerError(conflictCode, `${kind} "${key}" is already registered${from}, ${difference}`, {
    hint: conflictHint,
    details: { kind, key, difference, standing: { source: standing.source, ...factsOf(standing.entry) } },
  })
}

function asTaskerError<Entry, Given>(options: RegistryOptions<Entry, Given>, thrown: unknown): TaskerError {
  if (isTaskerError(thrown)) return thrown
  const message = messageOf(thrown)
  return new TaskerError(options.invalidCode, `this ${options.kind} cannot be read: ${message}`, { cause: thrown })
}
