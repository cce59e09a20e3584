import { describeValue } from "../../core/describe-value.ts"
import { didYouMean, isName, NAME_RULE } from "../../core/names.ts"
import { type LocatedProblem, problemAt } from "./file-problem.ts"
import { itemsAt, type Located, textAt, toPlain, valueAt } from "./located.ts"

/** What is wrong with how the environments are written; not with the values that they set. */
export function environmentProblems(root: Located): readonly LocatedProblem[] {
  const environments = valueAt(root, "environments")
  if (environments === undefined) return []
  if (environments.kind !== "map") return [expectedAt(environments, "environments", "a map from name to environment")]
  const stepNames = new Set(itemsAt(root, "steps").flatMap((step) => textAt(step, "name") ?? []))
  return [...environments.entries].flatMap(([name, { keyAt, value }]) => [
    ...(isName(name)
      ? []
      : [
          problemAt(
            keyAt,
            value.segments,
            `expected an environment to be called ${NAME_RULE}, got ${describeValue(name)}`,
          ),
        ]),
    ...(value.kind === "map"
      ? overrideProblems(value, stepNames)
      : [expectedAt(value, `environment "${name}"`, "a map")]),
  ])
}

/** A mistake when the file does not declare the environment that was asked for. */
export function findEnvironment(
  root: Located,
  name: string,
): { readonly environment: Located | undefined; readonly problems: readonly LocatedProblem[] } {
  const environments = valueAt(root, "environments")
  const environment = valueAt(environments, name)
  if (environment !== undefined) return { environment, problems: [] }
  const declared = environments?.kind === "map" ? [...environments.entries.keys()] : []
  const hint =
    didYouMean(name, declared)
    ?? (declared.length > 0
      ? `declared: ${declared.join(", ")}`
      : "declare it under `environments`, or load the file without one")
  const { at, segments } = environments ?? root
  return {
    environment,
    problems: [problemAt(at, segments, `environment ${describeValue(name)} is not declared in this file`, hint)],
  }
}

function overrideProblems(environment: Located, stepNames: ReadonlySet<string>): readonly LocatedProblem[] {
  const steps = valueAt(environment, "steps")
  if (steps === undefined) return []
  if (steps.kind !== "list") return [expectedAt(steps, "steps", "a list")]
  const seen = new Set<string>()
  return steps.items.flatMap((step) => {
    if (step.kind !== "map") return [expectedAt(step, "each of steps", "a map")]
    const written = valueAt(step, "name")
    const name = textAt(step, "name")
    if (written === undefined || name === undefined) {
      const { at, segments } = written ?? { at: step.at, segments: [...step.segments, "name"] }
      const got = written === undefined ? "nothing" : describeValue(toPlain(written))
      return [problemAt(at, segments, `expected name to be the name of a step, got ${got}`)]
    }
    const isTwice = seen.has(name)
    seen.add(name)
    if (isTwice)
      return [problemAt(written.at, written.segments, `step "${name}" is overridden twice`, "put both into one")]
    if (stepNames.has(name)) return []
    const message = `this workflow has no step ${describeValue(name)} to override`
    return [problemAt(written.at, written.segments, message, didYouMean(name, stepNames))]
  })
}

function expectedAt(node: Located, what: string, rule: string): LocatedProblem {
  return problemAt(node.at, node.segments, `expected ${what} to be ${rule}, got ${describeValue(toPlain(node))}`)
}
