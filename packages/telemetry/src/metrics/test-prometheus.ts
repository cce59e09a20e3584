import { execFile, spawn } from "node:child_process"
import { once } from "node:events"
import { existsSync } from "node:fs"
import { mkdir, mkdtemp, readdir, rename, rm, writeFile } from "node:fs/promises"
import { homedir, tmpdir } from "node:os"
import { join } from "node:path"
import { promisify } from "node:util"

const execute = promisify(execFile)

/** The two programs of Prometheus. */
export interface PrometheusPrograms {
  readonly prometheus: string
  readonly promtool: string
}

/**
 * What {@link findPrometheus} finds, for tests to be skipped without it, and not in silence.
 *
 * @param required - to throw when it is not to be had, as in CI: a test that is skipped there never runs
 */
export async function prometheusPrograms(required: boolean): Promise<PrometheusPrograms | undefined> {
  const found = await findPrometheus()
  if (typeof found !== "string") return found
  if (required) throw new Error(found)
  process.stderr.write(`\nSKIPPED: what needs Prometheus. ${found}\n\n`)
  return undefined
}

/** Runs promtool; gives its exit code and all that it printed. */
export async function runPromtool(
  program: string,
  args: readonly string[],
  { input = "", cwd }: { readonly input?: string; readonly cwd?: string } = {},
): Promise<{ readonly code: number; readonly output: string }> {
  return await new Promise((resolve) => {
    const child = execFile(program, [...args], { cwd }, (error, stdout, stderr) => {
      resolve({ code: typeof error?.code === "number" ? error.code : error === null ? 0 : 1, output: stdout + stderr })
    })
    child.stdin?.end(input)
  })
}

/**
 * Finds Prometheus: where the shell does, or in a cache of our own, where the Debian package is unpacked the first time.
 * That needs apt and the network, but not root: nothing is installed, so no service starts and no user is made.
 *
 * @returns a reason, as text, when it is not to be had on this machine
 */
async function findPrometheus(cache: string = cacheDirectory()): Promise<PrometheusPrograms | string> {
  const installed = await execute("sh", ["-c", "command -v prometheus && command -v promtool"]).catch(() => undefined)
  const [prometheus = "", promtool = ""] = installed?.stdout.split("\n") ?? []
  if (promtool !== "") return { prometheus, promtool }
  try {
    return await unpackedPrograms(cache)
  } catch (error) {
    return `the Debian package "prometheus" is not to be had here: ${error instanceof Error ? error.message : String(error)}`
  }
}

function cacheDirectory(): string {
  return process.getuid?.() === 0 ? "/var/cache/tasker" : join(homedir(), ".cache", "tasker")
}

async function unpackedPrograms(cache: string): Promise<PrometheusPrograms> {
  const directory = join(cache, "prometheus")
  if (!existsSync(directory)) await unpackPackage(cache, directory)
  return { prometheus: join(directory, "usr/bin/prometheus"), promtool: join(directory, "usr/bin/promtool") }
}

/** Runs at the same time unpack a copy each, and the first one that is whole stays. */
async function unpackPackage(cache: string, directory: string): Promise<void> {
  await mkdir(cache, { recursive: true })
  const work = await mkdtemp(join(cache, "prometheus-"))
  try {
    await downloadPackage(work)
    const file = (await readdir(work)).find((name) => name.endsWith(".deb"))
    if (file === undefined) throw new Error("apt-get download left no package")
    await execute("dpkg-deb", ["-x", join(work, file), join(work, "unpacked")])
    await rename(join(work, "unpacked"), directory).catch((error: unknown) => {
      if (!existsSync(directory)) throw error
    })
  } finally {
    await rm(work, { recursive: true, force: true })
  }
}

async function downloadPackage(work: string): Promise<void> {
  const apt = async (...args: readonly string[]) => await execute("apt-get", ["-qq", ...args], { cwd: work })
  try {
    await apt("download", "prometheus")
  } catch {
    // The machine's lists of packages are empty or old. With lists of our own, root need not bring them up to date.
    for (const directory of ["lists/partial", "cache/archives/partial"]) {
      await mkdir(join(work, directory), { recursive: true })
    }
    const own = ["-o", `Dir::State::lists=${join(work, "lists")}`, "-o", `Dir::Cache=${join(work, "cache")}`]
    await apt(...own, "update")
    await apt(...own, "download", "prometheus")
  }
}

/** A Prometheus that runs. */
export interface RunningPrometheus {
  /** What an expression of PromQL gives now: a value for each series. */
  query(
    expression: string,
  ): Promise<readonly { readonly labels: Readonly<Record<string, string>>; readonly value: number }[]>
  /** What the HTTP API answers. */
  api(path: string): Promise<unknown>
  stop(): Promise<void>
}

/** Starts Prometheus with its files in a directory of its own, and waits until it answers. */
export async function startPrometheus(program: string, config: string): Promise<RunningPrometheus> {
  const directory = await mkdtemp(join(tmpdir(), "tasker-prometheus-"))
  const file = join(directory, "prometheus.yml")
  await writeFile(file, config)
  const args = [`--config.file=${file}`, `--storage.tsdb.path=${join(directory, "data")}`]
  const child = spawn(program, [...args, "--web.listen-address=127.0.0.1:0"], { stdio: ["ignore", "ignore", "pipe"] })
  const ended = once(child, "close")
  let log = ""
  const url = await new Promise<string>((resolve, reject) => {
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      log += text
      const [, address] = /msg="Listening on" address=(\S+)/.exec(log) ?? []
      if (address !== undefined && log.includes("Server is ready")) resolve(`http://${address}`)
    })
    void ended.then(() => reject(new Error(`Prometheus ended before it was ready:\n${log}`)))
  })
  const api = async (path: string): Promise<unknown> => {
    const response = await fetch(`${url}/api/v1/${path}`)
    const body = await response.text()
    if (!response.ok) throw new Error(`Prometheus answered ${path} with ${response.status}: ${body}`)
    return JSON.parse(body)
  }
  return {
    api,
    async query(expression) {
      // The form that the documentation of the HTTP API gives.
      const { data } = (await api(`query?query=${encodeURIComponent(expression)}`)) as QueryAnswer
      return data.result.map(({ metric, value }) => ({ labels: metric, value: Number(value[1]) }))
    },
    async stop() {
      child.kill("SIGTERM")
      await ended
      await rm(directory, { recursive: true, force: true })
    },
  }
}

interface QueryAnswer {
  readonly data: {
    readonly result: readonly {
      readonly metric: Readonly<Record<string, string>>
      readonly value: readonly [at: number, value: string]
    }[]
  }
}
