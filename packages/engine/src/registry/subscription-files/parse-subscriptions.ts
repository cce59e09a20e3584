import { describeValue } from "../../core/describe-value.ts"
import { TaskerError } from "../../core/error.ts"
import { describeEngineEvents } from "../../core/events/describe-events.ts"
import type { TaskerEvent } from "../../core/events/event-map.ts"
import { matchesPattern, patternProblem } from "../../core/events/event-pattern.ts"
import { fieldNames } from "../../core/events/search-events.ts"
import type { EventHandler, Subscriber, SubscriberDefinition } from "../../core/events/subscriber.ts"
import { SUBSCRIBER_RULES } from "../../core/events/subscriber-rules.ts"
import { didYouMean } from "../../core/names.ts"
import type { OptionRule } from "../../core/option-rules.ts"
import { defineSubscriber } from "../define-subscriber.ts"
import { type FileProblem, type LocatedProblem, problemAt, sortProblems } from "../definition-files/file-problem.ts"
import { itemsAt, type Located, textAt, textOf, toPlain, valueAt } from "../definition-files/located.ts"
import { readYaml } from "../definition-files/read-yaml.ts"
import { unknownKeys } from "../definition-files/unknown-keys.ts"
import {
  FILTER_KEYS,
  type FilterKey,
  MAX_SUBSCRIPTIONS,
  SUBSCRIPTION_NAME,
  SUBSCRIPTIONS,
} from "./subscription-keys.ts"

/** What a handler of a file's subscription is told beside the event. */
export interface SubscriptionContext {
  /** The name of the subscription. */
  readonly subscription: string
  /** Its `config`; `undefined` when it has none. */
  readonly config: unknown
}

/** Handlers by the names that files call them. They may ask for narrower types: a file has none to check them against. */
export type SubscriptionHandlers = Readonly<
  Record<string, (event: never, context: SubscriptionContext) => void | Promise<void>>
>

/** The text of a file of subscriptions. */
export interface SubscriptionText {
  /** What the file is called in messages. */
  readonly file: string
  readonly text: string
}

const MAX_SHOWN = 50

/**
 * Makes subscribers of the texts of YAML files. Those that are not enabled are checked, and left out.
 *
 * @throws TaskerError `TASKER_SUBSCRIPTION_FILE_INVALID` with every mistake of every file in `details.problems`
 */
export function parseSubscriptions(
  texts: readonly SubscriptionText[],
  handlers: SubscriptionHandlers,
): readonly Subscriber[] {
  const names = new Map<string, string>()
  const files = texts.map(({ file, text }) => ({ file, ...parseFile(file, text, { handlers, names }) }))
  const problems = files.flatMap(({ file, problems: found }): readonly FileProblem[] =>
    sortProblems(found).map((one) => ({ file, ...one })),
  )
  if (problems.length > 0) throw filesInvalid(problems)
  return files.flatMap(({ subscribers }) => subscribers)
}

interface Surroundings {
  readonly handlers: SubscriptionHandlers
  /** The names so far, and where each stands. */
  readonly names: Map<string, string>
}

interface Parsed {
  readonly problems: readonly LocatedProblem[]
  readonly subscribers: readonly Subscriber[]
}

function parseFile(file: string, text: string, surroundings: Surroundings): Parsed {
  const { root, syntaxProblems, keyProblems } = readYaml(text)
  // What stands after the first mistake of syntax is doubtful.
  if (syntaxProblems.length > 0) return { problems: syntaxProblems, subscribers: [] }
  if (root?.kind !== "map") {
    const got = root === undefined || toPlain(root) === null ? "nothing" : describeValue(toPlain(root))
    const message = `expected a file of subscriptions to be a map, got ${got}`
    return { problems: [problemAt({ line: 1, column: 1 }, [], message)], subscribers: [] }
  }
  const list = valueAt(root, "subscriptions")
  const items = itemsAt(root, "subscriptions")
  const problems = [...keyProblems, ...unknownKeys(root, SUBSCRIPTIONS)]
  if (list?.kind !== "list" || items.length > MAX_SUBSCRIPTIONS) {
    problems.push(
      expectedAt(list ?? root, "subscriptions", `a list of at most ${MAX_SUBSCRIPTIONS} subscriptions`, list),
    )
  }
  const parsed = items.map((item) => parseSubscription(item, file, surroundings))
  return {
    problems: [...problems, ...parsed.flatMap((one) => one.problems)],
    subscribers: parsed.flatMap((one) => one.subscribers),
  }
}

function parseSubscription(item: Located, file: string, { handlers, names }: Surroundings): Parsed {
  if (item.kind !== "map")
    return { problems: [expectedAt(item, "each of subscriptions", "a map", item)], subscribers: [] }
  const problems = [
    ...nameProblems(item, file, names),
    ...eventProblems(item),
    ...handlerProblems(item, handlers),
    ...filterProblems(item),
    ...ruleProblems(item, "enabled", { rule: "true or false", accepts: (value) => typeof value === "boolean" }),
    ...ruleProblems(item, "timeout_ms", SUBSCRIBER_RULES.timeoutMs),
    ...ruleProblems(item, "max_pending", SUBSCRIBER_RULES.maxPending),
  ]
  const isEnabled = plainAt(item, "enabled") !== false
  return { problems, subscribers: problems.length === 0 && isEnabled ? [subscriberOf(item, handlers)] : [] }
}

function nameProblems(item: Located, file: string, names: Map<string, string>): readonly LocatedProblem[] {
  const node = valueAt(item, "name")
  const name = textAt(item, "name")
  if (node === undefined || name === undefined || !SUBSCRIPTION_NAME.test(name)) {
    const rule = 'text of 1 to 63 letters, digits, ".", "_", "-", "/" and "@" that starts with a letter or "@"'
    return [expectedAt(node ?? item, "name", rule, node)]
  }
  const standing = names.get(name)
  names.set(name, standing ?? `${file}:${node.at.line}`)
  if (standing === undefined) return []
  return [
    problemAt(node.at, node.segments, `subscription "${name}" stands in ${standing} already`, "give it another name"),
  ]
}

function eventProblems(item: Located): readonly LocatedProblem[] {
  const node = valueAt(item, "events")
  const events = itemsAt(item, "events")
  if (node?.kind !== "list" || events.length === 0) {
    return [expectedAt(node ?? item, "events", "a list of names of events, one or more", node)]
  }
  return events.flatMap((event) => {
    const found = patternProblem(toPlain(event))
    return found === undefined ? [] : [problemAt(event.at, event.segments, found.message, found.hint)]
  })
}

function handlerProblems(item: Located, handlers: SubscriptionHandlers): readonly LocatedProblem[] {
  const node = valueAt(item, "handler")
  const name = textAt(item, "handler")
  if (node === undefined || name === undefined || name === "") {
    return [expectedAt(node ?? item, "handler", "the name of a handler", node)]
  }
  const given: unknown = Object.hasOwn(handlers, name) ? handlers[name] : undefined
  if (typeof given === "function") return []
  const known = Object.keys(handlers)
  const hint =
    didYouMean(name, known) ?? `handlers given: ${known.length === 0 ? "none" : known.slice(0, 20).join(", ")}`
  const what = given === undefined ? "none was given" : `it is ${describeValue(given)}`
  return [problemAt(node.at, node.segments, `there is no handler "${name}": ${what}`, hint)]
}

function filterProblems(item: Located): readonly LocatedProblem[] {
  const filter = valueAt(item, "filter")
  if (filter === undefined) return []
  if (filter.kind !== "map") return [expectedAt(filter, "filter", "a map", filter)]
  const patterns = itemsAt(item, "events").flatMap((event) => textOf(event) ?? [])
  return FILTER_KEYS.flatMap((key) => {
    const node = valueAt(filter, key)
    if (node === undefined) return []
    const texts = textsOf(node)
    if (texts === undefined) return [expectedAt(node, key, "text, or a list of texts", node)]
    if (patterns.some((pattern) => mayHave(pattern, key))) return []
    return [problemAt(node.at, node.segments, `no event of ${patterns.join(", ")} has a ${key}`, "remove the filter")]
  })
}

/** Whether an event that the pattern stands for can have such a field. */
function mayHave(pattern: string, key: FilterKey): boolean {
  const matching = describeEngineEvents().filter(({ name }) => matchesPattern(pattern, name))
  // Those of a user's have all of them.
  return matching.length === 0 || matching.some(({ payload }) => fieldNames(payload).includes(key))
}

function ruleProblems(item: Located, key: string, { rule, accepts }: OptionRule): readonly LocatedProblem[] {
  const node = valueAt(item, key)
  return node === undefined || accepts(toPlain(node)) ? [] : [expectedAt(node, key, rule, node)]
}

/** Of an item without problems. */
function subscriberOf(item: Located, handlers: SubscriptionHandlers): Subscriber {
  const name = String(plainAt(item, "name"))
  const context = Object.freeze({ subscription: name, config: plainAt(item, "config") })
  // Looked up and found to be one, above; what it takes is the user's to know.
  const own = handlers[String(plainAt(item, "handler"))] as unknown as (
    event: TaskerEvent,
    context: SubscriptionContext,
  ) => void | Promise<void>
  const handle: EventHandler = (event) => own(event, context)
  const patterns = itemsAt(item, "events").map((event) => String(toPlain(event)))
  // Both were checked to be numbers.
  const { timeout_ms: timeoutMs, max_pending: maxPending } = toPlain(item) as {
    timeout_ms?: number
    max_pending?: number
  }
  return defineSubscriber({
    name,
    on: Object.fromEntries(patterns.map((pattern) => [pattern, handle])),
    filter: filterOf(valueAt(item, "filter")),
    timeoutMs,
    maxPending,
  })
}

function filterOf(filter: Located | undefined): SubscriberDefinition<string>["filter"] {
  const wanted = FILTER_KEYS.flatMap((key) => {
    const node = valueAt(filter, key)
    const texts = node === undefined ? undefined : textsOf(node)
    return texts === undefined ? [] : [{ key, texts }]
  })
  if (wanted.length === 0) return undefined
  return ({ payload }) =>
    wanted.every(({ key, texts }) => {
      const value: unknown = Reflect.get(payload, key)
      return typeof value === "string" && texts.includes(value)
    })
}

function textsOf(node: Located): readonly string[] | undefined {
  const nodes = node.kind === "list" ? node.items : [node]
  const texts = nodes.flatMap((one) => textOf(one) ?? [])
  return texts.length === nodes.length && texts.length > 0 && texts.every((one) => one !== "") ? texts : undefined
}

function plainAt(item: Located, key: string): unknown {
  const node = valueAt(item, key)
  return node === undefined ? undefined : toPlain(node)
}

function expectedAt(at: Located, what: string, rule: string, got: Located | undefined): LocatedProblem {
  const shown = got === undefined ? "nothing" : describeValue(toPlain(got))
  return problemAt(at.at, at.segments, `expected ${what} to be ${rule}, got ${shown}`)
}

function filesInvalid(problems: readonly FileProblem[]): TaskerError {
  const lines = problems.slice(0, MAX_SHOWN).map(({ file, line, column, message, hint }) => {
    return `\n  ${file}:${line}:${column} ${message}${hint === undefined ? "" : ` (${hint})`}`
  })
  const more = problems.length > MAX_SHOWN ? `\n  and ${problems.length - MAX_SHOWN} more` : ""
  const count = problems.length === 1 ? "a mistake" : `${problems.length} mistakes`
  return new TaskerError(
    "TASKER_SUBSCRIPTION_FILE_INVALID",
    `the subscriptions have ${count}:${lines.join("")}${more}`,
    {
      details: { problems },
    },
  )
}
