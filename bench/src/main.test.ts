import { execFile } from "node:child_process"
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import { beforeAll, describe, expect, it } from "vitest"

const MAIN = fileURLToPath(new URL("../dist/main.js", import.meta.url))

// The smallest form: it shows that everything is measured, not how fast it is.
const SMALLEST = [
  "--quick",
  "--json",
  "--workloads=linear_4",
  "--workers=1",
  "--rounds=1",
  "--steps=800",
  "--pglite-steps=400",
  "--latency-samples=5",
  "--backlog=2000",
]

describe("npm run bench -- --quick --json", () => {
  let runs: readonly Run[] = []

  beforeAll(async () => {
    runs = [await bench(), await bench("--databases=pglite")]
  }, 120_000)

  it("gives one object per workload, with numbers that add up", () => {
    const workloads = runs[0]?.objects.filter((each) => "ratioToFloor" in each) ?? []
    expect(workloads.map(({ workload, database, workers }) => [workload, database, workers])).toEqual([
      ["linear_4", "postgres", 1],
      ["linear_4", "pglite", 1],
    ])
    for (const measured of workloads) {
      const value = (name: string): number => Number(measured[name])
      expect(value("steps")).toBe(measured["database"] === "postgres" ? 800 : 400)
      expect(value("ratioToFloor")).toBeCloseTo(value("stepsPerSecond") / value("floorStepsPerSecond"), 6)
      expect(value("runningStepsPerSecond")).toBeGreaterThan(value("stepsPerSecond"))
      // A row of the floor holds a uuid, and the engine writes more than the floor does.
      expect(value("floorWalBytesPerStep")).toBeGreaterThan(50)
      expect(value("walBytesPerStep")).toBeGreaterThan(value("floorWalBytesPerStep"))
      expect(value("commitsPerStep")).toBeGreaterThan(0.001)
      expect(value("commitsPerStep")).toBeLessThan(1)
      expect(value("roundTripsPerStep")).toBeGreaterThan(0.001)
      expect(value("roundTripsPerStep")).toBeLessThan(1)
      // A linear task of four: one turn claims the first step, four record and claim the next.
      expect(value("idleAdvancesPerStep")).toBeGreaterThanOrEqual(1)
      expect(value("p99Ms")).toBeGreaterThanOrEqual(value("p50Ms"))
      expect(value("p50Ms")).toBeGreaterThan(0)
      expect(value("floorP50Ms")).toBeGreaterThan(0)
      expect(value("workerCpuMsPerStep")).toBeGreaterThan(0)
    }
  })

  it("says how it ran, and how flat throughput is", () => {
    const [run] = runs
    for (const line of [
      /CPU +\S/,
      /load average +\d/,
      /Node +v\d/,
      /PostgreSQL +PostgreSQL 1\d/,
      /fsync on/,
      /2 lanes/,
    ]) {
      expect(run?.setUp).toMatch(line)
    }
    const costs = run?.objects.filter((each) => "ratioToPlain" in each) ?? []
    expect(costs).toMatchObject([{ workload: "linear_4", observability: ["logs", "metrics", "traces"] }])
    for (const name of ["stepsPerSecond", "plainStepsPerSecond", "workerCpuMsPerStep", "collectedBytesPerStep"]) {
      expect(Number(costs[0]?.[name])).toBeGreaterThan(0)
    }
    const events = run?.objects.filter((each) => "subscribers" in each) ?? []
    expect(events.map(({ subscribers }) => subscribers)).toEqual([0, 1, 10])
    // An event that nobody wants is not made.
    expect(Number(events[0]?.["publishingNs"])).toBeLessThan(Number(events[1]?.["publishingNs"]))
    const flatness = run?.objects.filter((each) => "ratioToFresh" in each) ?? []
    expect(flatness.map(({ kind, backlog }) => [kind, backlog])).toEqual([
      ["finished", 2_000],
      ["delayed", 2_000],
    ])
  })

  it("--flush-ms lets every commit wait, of the engine and of the floor", async () => {
    const run = await bench("--databases=postgres", "--no-flatness", "--observability=none", "--flush-ms=10")
    expect(run.setUp).toMatch(/commit_delay 10000/)
    const [measured] = run.objects
    // The floor commits each of four steps; the engine creates and claims besides.
    expect(Number(measured?.["floorP50Ms"])).toBeGreaterThan(40)
    expect(Number(measured?.["p50Ms"])).toBeGreaterThan(60)
  }, 120_000)

  it("--against measures another checkout's engine with nothing on, if that is built", async () => {
    const own = fileURLToPath(new URL("../..", import.meta.url))
    const options = ["--databases=postgres", "--workloads=none", "--no-flatness"]
    const run = await bench(...options, `--against=${own}`, "--observability=none")
    const cost = { observability: [], collectedBytesPerStep: 0, against: resolve(own) }
    expect(run.objects).toMatchObject([{ ...cost, ratioToPlain: expect.any(Number) }])

    const other = await mkdtemp(join(tmpdir(), "tasker-checkout-"))
    await mkdir(join(other, "bench/dist"), { recursive: true })
    const program = 'process.on("message", ({ id }) => process.send({ id, error: "the other engine was asked" }))'
    await writeFile(join(other, "bench/dist/engine-main.js"), program)
    await expect(bench(...options, `--against=${other}`)).rejects.toThrow("the other engine was asked")
    await rm(other, { recursive: true })
    await expect(bench(...options, `--against=${other}`)).rejects.toThrow("to be a checkout that is built")
  }, 60_000)

  it("measures anew each time", () => {
    const [first, second] = runs.map(({ objects }) => objects.filter(({ database }) => database === "pglite"))
    expect(second).toHaveLength(1)
    for (const name of ["stepsPerSecond", "floorStepsPerSecond", "p50Ms", "workerCpuMsPerStep"]) {
      expect(first?.[0]?.[name]).not.toBe(second?.[0]?.[name])
    }
  })
})

interface Run {
  readonly objects: readonly Readonly<Record<string, unknown>>[]
  readonly setUp: string
}

async function bench(...more: readonly string[]): Promise<Run> {
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [MAIN, ...SMALLEST, ...more])
  // What the benchmark prints, and the tests above look at field by field.
  return { objects: JSON.parse(stdout) as Run["objects"], setUp: stderr }
}
