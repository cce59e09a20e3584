import { spawn } from "node:child_process"

/** One of the checks. */
export interface Step {
  readonly name: string
  readonly command: readonly [program: string, ...args: string[]]
  /** Finds in the output how many things the check saw. */
  readonly saw: RegExp
  /** What these things are, in the plural. */
  readonly things: string
}

export interface Outcome {
  readonly name: string
  readonly passed: boolean
  readonly count: number
  readonly things: string
  readonly seconds: number
  readonly output: string
}

/**
 * Runs one check.
 *
 * A check passes when it ends with 0 and says that it saw something: a checker that is set up wrongly looks at
 * nothing, finds nothing wrong, and ends with 0.
 */
export async function runStep(step: Step, folder: string): Promise<Outcome> {
  const startedAt = performance.now()
  const { code, output } = await run(step.command, folder)
  const count = Number(step.saw.exec(output)?.[1] ?? 0)
  const blind = code === 0 && count === 0 ? `\n${step.name} saw no ${step.things}, so it has checked nothing\n` : ""
  return {
    name: step.name,
    passed: code === 0 && count > 0,
    count,
    things: step.things,
    seconds: (performance.now() - startedAt) / 1000,
    output: output + blind,
  }
}

function run([program, ...args]: Step["command"], folder: string): Promise<{ code: number; output: string }> {
  return new Promise((resolve) => {
    let output = ""
    const child = spawn(program, args, { cwd: folder, stdio: ["ignore", "pipe", "pipe"] })
    child.stdout.setEncoding("utf8").on("data", (text: string) => (output += text))
    child.stderr.setEncoding("utf8").on("data", (text: string) => (output += text))
    child.on("error", (error) => resolve({ code: 1, output: `${output}${error.message}\n` }))
    child.on("close", (code) => resolve({ code: code ?? 1, output }))
  })
}
