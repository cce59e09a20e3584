import { MAX_DELAY_MS } from "../../core/retry-policy.ts"
import type { JsonSchema } from "../../core/schema.ts"
import type { FileKeys, FileMap } from "../definition-files/file-keys.ts"

/** What an event may be filtered by: fields of its payload. */
export const FILTER_KEYS = ["namespace", "workflow", "version", "step"] as const
export type FilterKey = (typeof FILTER_KEYS)[number]

export const MAX_SUBSCRIPTIONS = 1_000
export const SUBSCRIPTION_NAME = /^[A-Za-z@][\w.@/-]{0,62}$/

const oneOrMore: JsonSchema = {
  anyOf: [
    { type: "string", minLength: 1 },
    { type: "array", items: { type: "string", minLength: 1 }, minItems: 1 },
  ],
}

const FILTER: FileMap = {
  name: "filter",
  required: [],
  keys: Object.fromEntries(
    FILTER_KEYS.map((key) => [
      key,
      { description: `Only events of this ${key}, or of one of these.`, schema: oneOrMore },
    ]),
  ),
}

const SUBSCRIPTION_KEYS: FileKeys = {
  name: {
    description: "What reports of its failures call it. Unique in the folder.",
    schema: { type: "string", pattern: SUBSCRIPTION_NAME.source },
  },
  events: {
    description: "The names of events, or wildcards such as step.*.",
    schema: { type: "array", items: { type: "string" }, minItems: 1 },
    aliases: ["event", "subscribe_to", "on"],
  },
  handler: {
    description: "The name of the function that is called with each event.",
    schema: { type: "string", minLength: 1 },
    aliases: ["class", "handler_class", "function"],
  },
  enabled: {
    description: "Whether it is subscribed at all. Default: true.",
    schema: { type: "boolean" },
    aliases: ["active"],
  },
  filter: {
    description: "Which of these events are delivered. Default: all.",
    schema: {},
    holds: { as: "map", map: FILTER },
  },
  timeout_ms: {
    description: "How long the handler may take over one event, in milliseconds. Default: 30000.",
    schema: { type: "integer", minimum: 1, maximum: MAX_DELAY_MS },
    aliases: ["timeout"],
  },
  max_pending: {
    description: "How many events may wait for it; when more come, the oldest are dropped. Default: 10000.",
    schema: { type: "integer", minimum: 1, maximum: 1_000_000 },
    aliases: ["queue_size", "buffer"],
  },
  config: {
    description: "What the handler gets beside the event.",
    schema: {},
    aliases: ["options", "settings", "with"],
  },
}

/** A file of subscriptions as a whole. */
export const SUBSCRIPTIONS: FileMap = {
  name: "file of subscriptions",
  required: ["subscriptions"],
  keys: {
    subscriptions: {
      description: "Who is told of what.",
      schema: { type: "array", maxItems: MAX_SUBSCRIPTIONS },
      holds: {
        as: "list",
        map: { name: "subscription", keys: SUBSCRIPTION_KEYS, required: ["name", "events", "handler"] },
      },
    },
  },
}
