import { measureWorkload, type WorkloadResult } from "./measure-workload.ts"
import type { BenchOptions } from "./options.ts"
import { openServer } from "./server.ts"

export async function runBench(options: BenchOptions): Promise<void> {
  const server = options.databases.includes("postgres") ? await openServer(options.url) : undefined
  const results: WorkloadResult[] = []
  try {
    for (const kind of options.databases) {
      for (const workload of options.workloads) {
        for (const workers of kind === "pglite" ? [1] : options.workers) {
          results.push(await measureWorkload(workload, kind, workers, options, kind === "pglite" ? undefined : server))
          process.stderr.write(JSON.stringify(results.at(-1), null, 1))
        }
      }
    }
  } finally {
    await server?.close()
  }
}
