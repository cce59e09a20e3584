/**
 * What publishing an event costs whoever publishes, in nanoseconds, with 0, 1 and 10 subscribers; and what it costs in all
 * until they are told. Prints JSON, of which the benchmark makes a table: `npm run build && node scripts/measure-events.mjs`
 */
import { EventBus } from "../packages/engine/dist/events/event-bus.js"
import { silentLogger } from "../packages/engine/dist/core/logger.js"

const ROUNDS = 7
const EVENTS = Number(process.argv[2] ?? 200_000)
const NAME = "workflow.viable_steps_discovered"

const costs = []
for (const subscribers of [0, 1, 10]) costs.push(await measure(subscribers))
console.log(JSON.stringify(costs, undefined, 2))

async function measure(subscribers) {
  const bus = new EventBus({ now: () => new Date(), logger: silentLogger, redact: (value) => value })
  let told = 0
  for (let index = 0; index < subscribers; index++) {
    bus.subscribe({ name: `s${index}`, maxPending: EVENTS, on: { "workflow.*": () => void (told += 1) } })
  }
  const rounds = []
  for (let round = 0; round < ROUNDS; round++) {
    const asking = nsOf(() => bus.wants(NAME))
    const startedAt = performance.now()
    const publishing = nsOf(() => bus.publish(NAME, { workerId: 1, count: 1, room: 50 }))
    await bus.drained()
    rounds.push({ asking, publishing, untilTold: ((performance.now() - startedAt) * 1e6) / EVENTS })
  }
  if (told !== subscribers * EVENTS * ROUNDS) throw new Error(`told ${told} events`)
  const of = (key) => median(rounds.map((round) => round[key]))
  return { subscribers, askingNs: of("asking"), publishingNs: of("publishing"), untilToldNs: of("untilTold") }
}

function nsOf(work) {
  const startedAt = performance.now()
  for (let index = 0; index < EVENTS; index++) work()
  return ((performance.now() - startedAt) * 1e6) / EVENTS
}

function median(values) {
  return values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)]
}
