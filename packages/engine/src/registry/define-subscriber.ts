import type { Subscriber, SubscriberDefinition } from "../core/events/subscriber.ts"
import { assertSubscriber } from "./assert-subscriber.ts"

/**
 * Makes a subscriber: to be passed to `createTasker`, registered later, or exported by a file of a folder that is
 * searched. Each handler is given the events that its pattern stands for, and `filter` all of them. Returns what it was
 * given.
 *
 * @throws TaskerError `TASKER_SUBSCRIBER_INVALID` when members are missing or misshapen, or a pattern stands for no event
 *   that there can be: it names all of them
 *
 * @example
 * ```ts
 * export const pager = defineSubscriber({
 *   name: "pager",
 *   on: { "step.failed": ({ payload }) => alert(`${payload.step} of ${payload.taskId}`) },
 * })
 * ```
 */
export function defineSubscriber<Pattern extends string>(
  definition: SubscriberDefinition<Pattern>,
): Subscriber & SubscriberDefinition<Pattern> {
  assertSubscriber(definition)
  return definition
}
