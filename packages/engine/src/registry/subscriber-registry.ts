import { TaskerError } from "../core/error.ts"
import { matchesPattern } from "../core/events/event-pattern.ts"
import type { Subscriber, SubscriberDefinition } from "../core/events/subscriber.ts"
import { didYouMean } from "../core/names.ts"
import { assertSubscriber } from "./assert-subscriber.ts"
import { nameOf } from "./check-members.ts"
import { createIndex } from "./create-index.ts"
import { discoverExports } from "./discovery/discover-exports.ts"
import type { DiscoverOptions, Discovery } from "./discovery/discover-folder.ts"
import type { Wanted } from "./discovery/find-exports.ts"
import {
  createRegistry,
  type RegisterOptions,
  type Registry,
  type RegistryStats,
  type UnregisterOptions,
} from "./registry.ts"
import type { OnRegistryChange, RegistryChange } from "./registry-change.ts"

export interface SubscriberRegistryStats extends RegistryStats {
  readonly patternCount: number
  /** How many subscribers have a handler for each name or wildcard. */
  readonly subscriberCountByPattern: Readonly<Record<string, number>>
}

/** The subscribers of this process, by name and by event. */
export interface SubscriberRegistry {
  /**
   * Adds a subscriber: it is told of events from now on. One that is there already changes nothing.
   *
   * @throws TaskerError `TASKER_SUBSCRIBER_INVALID` when members are missing or misshapen: it names all of them
   * @throws TaskerError `TASKER_NAME_TAKEN` when another one has its name, unless `replace` is set
   */
  register<Pattern extends string>(subscriber: SubscriberDefinition<Pattern>, options?: RegisterOptions): Subscriber
  /** Removes a subscriber: it is told of nothing any more. Returns whether there was one. */
  unregister(name: string, options?: UnregisterOptions): boolean
  /** @throws TaskerError `TASKER_SUBSCRIBER_NOT_FOUND`, with the names there are in `details.names` */
  get(name: string): Subscriber
  /** As {@link get}, but `undefined` when there is none. */
  find(name: string): Subscriber | undefined
  /**
   * The subscribers that would get an event of this name, by its name or a wildcard, in the order in which their names
   * came; their filters are not asked. A list that was returned never changes.
   */
  forEvent(name: string): readonly Subscriber[]
  /** In the order in which their names came. A list that was returned never changes. */
  list(): readonly Subscriber[]
  /** The names and wildcards that anybody has a handler for, sorted. */
  patterns(): readonly string[]
  stats(): SubscriberRegistryStats
  /**
   * Registers every subscriber that the modules of a folder export.
   *
   * @throws TaskerError `TASKER_DISCOVERY_FAILED` when a file cannot be used and `strict` is set
   */
  discover(folder: string | URL, options?: DiscoverOptions): Promise<Discovery>
}

export interface SubscriberRegistryOptions {
  /** Told of every operation. */
  readonly onChange: OnRegistryChange
  /** Begins to tell a subscriber of events; what it returns ends that. */
  readonly connect: (subscriber: Subscriber) => () => void
}

/** Makes an empty registry of subscribers, who are connected for as long as they stand in it. */
export function createSubscriberRegistry(options: SubscriberRegistryOptions): SubscriberRegistry {
  const registry = createConnectingRegistry(options)
  const index = createIndex(registry.list, indexPatterns)

  function get(name: string): Subscriber {
    const found = registry.get(name)
    if (found !== undefined) return found
    const names = registry.list().map(keyOf)
    throw new TaskerError("TASKER_SUBSCRIBER_NOT_FOUND", `no subscriber is named "${name}"`, {
      hint: didYouMean(name, names) ?? "register it, or check its name",
      details: { name, names },
    })
  }

  function forEvent(name: string): readonly Subscriber[] {
    const patterns = [...index().keys()].filter((pattern) => matchesPattern(pattern, name))
    return registry.list().filter(({ on }) => patterns.some((pattern) => Object.hasOwn(on, pattern)))
  }

  function stats(): SubscriberRegistryStats {
    return {
      ...registry.stats(),
      patternCount: index().size,
      subscriberCountByPattern: Object.fromEntries(index()),
    }
  }

  const registerFound = (value: object, how: RegisterOptions): string => registry.register(value, how).name
  const target = {
    registry: "subscriber",
    wanted: WANTED,
    register: registerFound,
    onChange: options.onChange,
  } as const

  return Object.freeze({
    register: registry.register,
    unregister: (name: string, how?: UnregisterOptions) => registry.unregister(name, how) !== undefined,
    get,
    find: registry.get,
    forEvent,
    list: registry.list,
    patterns: () => [...index().keys()].toSorted(),
    stats,
    discover: async (folder: string | URL, how?: DiscoverOptions) => await discoverExports(target, folder, how),
  })
}

function createConnectingRegistry(options: SubscriberRegistryOptions): Registry<Subscriber, unknown> {
  const disconnects = new Map<string, () => void>()

  /** Connects before others are told, so that a subscriber hears of what its own registration leads to. */
  function onChange(change: RegistryChange): void {
    if ("facts" in change) {
      disconnects.get(change.key)?.()
      disconnects.delete(change.key)
      const subscriber = registry.get(change.key)
      if (subscriber !== undefined) disconnects.set(change.key, options.connect(subscriber))
    }
    options.onChange(change)
  }

  const registry = createRegistry<Subscriber, unknown>({
    registry: "subscriber",
    kind: "subscriber",
    toEntry: (subscriber) => {
      assertSubscriber(subscriber)
      return subscriber
    },
    keyOf,
    labelOf: nameOf,
    factsOf: ({ name, on }) => ({ name, events: Object.keys(on) }),
    differenceOf: ({ on }) => `for ${Object.keys(on).join(", ")}`,
    invalidCode: "TASKER_SUBSCRIBER_INVALID",
    conflictCode: "TASKER_NAME_TAKEN",
    conflictHint: "give it another name, or pass `replace: true`",
    onChange,
  })
  return registry
}

const WANTED: Wanted = {
  kind: "subscriber",
  members: "name and on",
  // Whatever emits events has a function of that name.
  isMeant: (value) => "on" in value && typeof value.on !== "function",
}

function keyOf({ name }: Subscriber): string {
  return name
}

/** How many subscribers have a handler for each pattern. */
function indexPatterns(subscribers: readonly Subscriber[]): ReadonlyMap<string, number> {
  const index = new Map<string, number>()
  for (const { on } of subscribers) {
    for (const pattern of Object.keys(on)) index.set(pattern, (index.get(pattern) ?? 0) + 1)
  }
  return index
}
