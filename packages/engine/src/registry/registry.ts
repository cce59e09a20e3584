import { type ErrorCode, TaskerError } from "../core/error.ts"
import { didYouMean } from "../core/names.ts"

export interface RegistryOptions<Entry> {
  /** What an entry is, in the singular: `workflow`. Starts every message. */
  readonly kind: string
  /** What the errors of this registry are called. */
  readonly codes: { readonly invalid: ErrorCode; readonly conflict: ErrorCode }
  /** The name under which there is one entry at most. */
  readonly keyOf: (entry: Entry) => string
  /**
   * What is wrong with an entry in JavaScript that no compiler has seen; none when nothing is. Runs before
   * anything changes.
   */
  readonly validate?: ((entry: Entry) => readonly string[]) | undefined
  /**
   * How an entry differs from the one under the same key, to follow "is already registered"; `undefined` when
   * they mean the same, and the first one stays. Default: any two entries differ, unless they are one.
   */
  readonly differenceOf?: ((existing: Entry, entry: Entry) => string | undefined) | undefined
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
  /** How often an entry was added, replacements included. */
  readonly registeredCount: number
  readonly replacedCount: number
  readonly unregisteredCount: number
}

/** Entries by key, in the order in which they came. */
export interface Registry<Entry> {
  /**
   * Adds an entry. The same entry again changes nothing.
   *
   * @returns the entry that stands now: an equal earlier one, or this one
   * @throws TaskerError of `codes.invalid` when the entry is misshapen
   * @throws TaskerError of `codes.conflict` when another entry has its key, and `replace` is not set
   */
  register(entry: Entry, options?: RegisterOptions): Entry
  /** Removes an entry, and returns it; `undefined` when there was none. */
  unregister(key: string): Entry | undefined
  get(key: string): Entry | undefined
  /** All entries as they are now. The list stays as it is when others register meanwhile. */
  list(): readonly Entry[]
  /** `did you mean "…"?` for a key that is not there. */
  suggest(key: string): string | undefined
  stats(): RegistryStats
}

/**
 * Makes a registry: the mechanism behind those of workflows, plugins and
 * subscribers, which add what they are looked up by.
 */
export function createRegistry<Entry>(options: RegistryOptions<Entry>): Registry<Entry> {
  const { kind, keyOf } = options
  const entries = new Map<string, Entry>()
  const counts = { registeredCount: 0, replacedCount: 0, unregisteredCount: 0 }
  let snapshot: readonly Entry[] | undefined

  function register(entry: Entry, { replace = false }: RegisterOptions = {}): Entry {
    const problems = options.validate?.(entry) ?? []
    if (problems.length > 0) throw entryInvalid(options, problems)
    const key = keyOf(entry)
    const existing = entries.get(key)
    if (existing !== undefined && !replace) {
      const difference = differenceBetween(options, existing, entry)
      if (difference === undefined) return existing
      throw conflict(options, key, difference)
    }
    // The map keeps a replaced entry's place in the order.
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

  return Object.freeze({
    register,
    unregister,
    get: (key) => entries.get(key),
    list: () => (snapshot ??= Object.freeze([...entries.values()])),
    suggest: (key) => didYouMean(key, entries.keys()),
    stats: () => ({ kind, count: entries.size, ...counts }),
  } satisfies Registry<Entry>)
}

function differenceBetween<Entry>(options: RegistryOptions<Entry>, existing: Entry, entry: Entry): string | undefined {
  if (existing === entry) return undefined
  return options.differenceOf === undefined ? "and this is another one" : options.differenceOf(existing, entry)
}

function entryInvalid<Entry>({ kind, codes }: RegistryOptions<Entry>, problems: readonly string[]): TaskerError {
  return new TaskerError(codes.invalid, `expected a ${kind}: ${problems.join("; ")}`, { details: { kind, problems } })
}

function conflict<Entry>(options: RegistryOptions<Entry>, key: string, difference: string): TaskerError {
  const { kind, codes, conflictHint } = options
  return new TaskerError(codes.conflict, `${kind} "${key}" is already registered, ${difference}`, {
    hint: conflictHint,
    details: { kind, key },
  })
}
