/**
 * What publishing an event costs whoever publishes, in nanoseconds, with 0, 1 and 10 subscribers; and what it costs in all
 * until they are told. `npm run build && node scripts/measure-events.mjs`
 */
import { EventBus } from "../packages/engine/dist/events/event-bus.js"
import { silentLogger } from "../packages/engine/dist/core/logger.js"

const ROUNDS = 7
const EVENTS = 200_000
const payload = { workerId: 1, count: 1, room: 50 }

console.log(`node ${process.version}, ${ROUNDS} rounds of ${EVENTS} events, the median of each`)
console.log("subscribers        asking (ns)  publishing (ns)  until told (ns)")
for (const count of [0, 1, 10]) await measure(count)

async function measure(count) {
  const bus = new EventBus({ now: () => new Date(), logger: silentLogger, redact: (value) => value })
  let told = 0
  for (let index = 0; index < count; index++) {
    const on = { "workflow.*": () => void (told += 1) }
    bus.subscribe({ name: `s${index}`, maxPending: EVENTS, on })
  }
  const rounds = []
  for (let round = 0; round < ROUNDS; round++) {
    const asking = time(() => bus.wants("workflow.viable_steps_discovered"))
    const startedAt = performance.now()
    const publishing = time(() => bus.publish("workflow.viable_steps_discovered", { ...payload }))
    await bus.drained()
    rounds.push({ asking, publishing, told: ((performance.now() - startedAt) * 1e6) / EVENTS })
  }
  if (told !== count * EVENTS * ROUNDS) throw new Error(`told ${told} events`)
  const of = (key) => median(rounds.map((round) => round[key])).toFixed(0)
  console.log(
    `${String(count).padEnd(18)} ${of("asking").padStart(11)} ${of("publishing").padStart(16)} ${of("told").padStart(16)}`,
  )
}

function time(work) {
  const startedAt = performance.now()
  for (let index = 0; index < EVENTS; index++) work()
  return ((performance.now() - startedAt) * 1e6) / EVENTS
}

function median(values) {
  return values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)]
}
