import { availableParallelism, cpus, loadavg, release, tmpdir, totalmem, type } from "node:os"
import { statfsSync } from "node:fs"
import type { BenchOptions } from "../options.ts"
import type { Server } from "../server.ts"

const SETTINGS = [
  "fsync",
  "synchronous_commit",
  "commit_delay",
  "full_page_writes",
  "wal_level",
  "wal_compression",
  "shared_buffers",
  "max_wal_size",
  "checkpoint_timeout",
  "autovacuum",
  "jit",
]

/** What the numbers depend on, as lines of a name and a value. */
export async function readSetUp(
  options: BenchOptions,
  server: Server | undefined,
): Promise<readonly (readonly [string, string])[]> {
  const [cpu] = cpus()
  return [
    ["date", new Date().toISOString()],
    ["CPU", `${cpu?.model.trim() ?? "unknown"}, ${availableParallelism()} cores`],
    ["memory", `${(totalmem() / 2 ** 30).toFixed(1)} GiB`],
    [
      "load average",
      `${loadavg()
        .map((load) => load.toFixed(2))
        .join(" ")} (1, 5, 15 minutes, before the start)`,
    ],
    ["OS", `${type()} ${release()}, ${process.arch}`],
    ["Node", process.version],
    ...(await databaseLines(options, server)),
    [
      "concurrency",
      `${options.concurrency} steps in flight over all worker processes; ${options.lanes} lanes in each process; the floor alike`,
    ],
    ["handlers", "do nothing, and return a small object"],
    [
      "runs",
      `${options.rounds} rounds of engine and floor in turns; medians; ${options.steps} steps a run on PostgreSQL, ${options.pgliteSteps} on PGlite`,
    ],
    ...(options.isQuick
      ? ([
          [
            "quick",
            "small runs: numbers are rougher; several worker processes only with the first workload; flatness with a smaller backlog",
          ],
        ] as const)
      : []),
  ]
}

async function databaseLines(
  { databases, url }: BenchOptions,
  server: Server | undefined,
): Promise<readonly (readonly [string, string])[]> {
  const pglite = databases.includes("pglite")
    ? ([["PGlite", "in memory, in the worker's process; it has no fsync"]] as const)
    : []
  if (server === undefined) return pglite
  const [version] = await server.query<{ version: string }>("select version()")
  const settings = await server.query<{ name: string; value: string }>(
    "select name, current_setting(name) as value from unnest($1::text[]) as given (name)",
    [SETTINGS],
  )
  const where = url === undefined ? `embedded, on ${fileSystemOf(tmpdir())}` : "given by --url"
  return [
    ["PostgreSQL", `${version?.version ?? "unknown"}; ${where}`],
    ["settings", settings.map(({ name, value }) => `${name} ${value}`).join(", ")],
    ...pglite,
  ]
}

/** The names of those that tell something about what fsync costs; see statfs(2). */
const FILE_SYSTEMS: Readonly<Record<number, string>> = {
  0xef53: "ext4",
  0x58465342: "xfs",
  0x9123683e: "btrfs",
  0x01021994: "tmpfs (memory: fsync costs nothing)",
  0x794c7630: "overlayfs",
  0x2fc12fc1: "zfs",
}

function fileSystemOf(directory: string): string {
  const { type: magic } = statfsSync(directory)
  return FILE_SYSTEMS[magic] ?? `file system 0x${magic.toString(16)}`
}
