import { type ErrorCode, TaskerError } from "../core/error.ts"

export interface RegistryOptions<Entry> {
  /** What an entry is, in the singular: `workflow`. Starts the message of a conflict. */
  readonly kind: string
  /** The name under which there is one entry at most. */
  readonly keyOf: (entry: Entry) => string
  /**
   * How an entry differs from the one under the same key, to follow "is already registered"; `undefined` when
   * both mean the same, and the first one stays. Default: another entry always differs.
   */
  readonly differenceOf?: (existing: Entry, entry: Entry) => string | undefined
  readonly conflictCode: ErrorCode
  /** What to do about a conflict, as a command. */
  readonly conflictHint: string
}

export interface RegisterOptions {
  /** Whether to take the place of an entry with the same key. Default: false. */
  readonly replace?: boolean | undefined
}

export interface RegistryStats {
  readonly kind: string
  /** How many entries there are now. */
  readonly count: number
  /** How often an entry was added or replaced, since the start. */
  readonly registeredCount: number
  readonly replacedCount: number
  readonly unregisteredCount: number
}

/** Entries by key, in the order in which their keys first came. */
export interface Registry<Entry> {
  /**
   * Adds an entry. An entry that means the same as the one that is there changes nothing.
   *
   * @returns the entry that stands now
   * @throws TaskerError of `conflictCode` when another entry has its key, unless `replace` is set
   */
  register(entry: Entry, options?: RegisterOptions): Entry
  /** Removes an entry, and returns it; `undefined` when there was none. */
  unregister(key: string): Entry | undefined
  get(key: string): Entry | undefined
  /**
   * All entries as they are now. A list that was returned never changes, whoever registers while it is
   * walked; and it is the same list for as long as nothing changes.
   */
  list(): readonly Entry[]
  stats(): RegistryStats
}

/**
 * Makes a registry: the mechanism that those of workflows, plugins and
 * subscribers share. What an entry must look like is checked by whoever makes
 * it; what it is looked up by, other than its key, is derived from `list`.
 */
export function createRegistry<Entry>(options: RegistryOptions<Entry>): Registry<Entry> {
  const { kind, keyOf } = options
  const entries = new Map<string, Entry>()
  const counts = { registeredCount: 0, replacedCount: 0, unregisteredCount: 0 }
  let snapshot: readonly Entry[] | undefined

  function register(entry: Entry, { replace = false }: RegisterOptions = {}): Entry {
    const key = keyOf(entry)
    const existing = entries.get(key)
    if (existing === entry) return entry
    if (existing !== undefined && !replace) {
      const difference =
        options.differenceOf === undefined ? "and not by this one" : options.differenceOf(existing, entry)
      if (difference === undefined) return existing
      throw conflict(options, key, difference)
    }
    entries.set(key, entry)
    snapshot = undefined
    counts.registeredCount += 1
    if (existing !== undefined) counts.replacedCount += 1
    return entry
  }

  function unregister(key: string): Entry | undefined {
    const existing = entries.get(key)
    if (!entries.delete(key)) return undefined
    snapshot = undefined
    counts.unregisteredCount += 1
    return existing
  }

  function list(): readonly Entry[] {
    snapshot ??= Object.freeze([...entries.values()])
    return snapshot
  }

  return Object.freeze({
    register,
    unregister,
    get: (key: string) => entries.get(key),
    list,
    stats: () => ({ kind, count: entries.size, ...counts }),
  })
}

function conflict<Entry>(options: RegistryOptions<Entry>, key: string, difference: string): TaskerError {
  const { kind, conflictCode, conflictHint } = options
  return new TaskerError(conflictCode, `${kind} "${key}" is already registered, ${difference}`, {
    hint: conflictHint,
    details: { kind, key, difference },
  })
}
