/**
 * Checks that package-lock.json names every optional dependency, those of other platforms included. With --fix, adds them.
 *
 * Native tools come as one package per platform. Where the registry at hand does not have those of the other platforms, npm
 * leaves them out of the lock file, and then refuses its own file: `npm ci` ends with "Missing: … from lock file"
 * (https://github.com/npm/cli/issues/9846). An entry with its version and its platform is enough for `npm ci` everywhere.
 */
import { readFileSync, writeFileSync } from "node:fs"

const SYSTEMS = { windows: "win32", win32: "win32" }
const KNOWN_SYSTEMS = ["aix", "android", "darwin", "freebsd", "linux", "netbsd", "openbsd", "openharmony", "sunos"]
const KNOWN_CPUS = ["arm64", "arm", "ia32", "loong64", "mips64el", "ppc64", "riscv64", "s390x", "wasm32", "x64"]

const lock = JSON.parse(readFileSync("package-lock.json", "utf8"))
const missing = Object.entries(lock.packages).flatMap(([parent, entry]) =>
  Object.entries(entry.optionalDependencies ?? {})
    .filter(([name]) => !isLocked(parent, name))
    .map(([name, version]) => [name, version, entry.dev === true]),
)

if (process.argv.includes("--fix") && missing.length > 0) {
  for (const [name, version, dev] of missing) lock.packages[`node_modules/${name}`] = entryFor(name, version, dev)
  const sorted = Object.entries(lock.packages).toSorted(([a], [b]) =>
    a === b ? 0 : a.localeCompare(b, "en") < 0 ? -1 : 1,
  )
  lock.packages = Object.fromEntries(sorted)
  writeFileSync("package-lock.json", `${JSON.stringify(lock, null, 2)}\n`)
  console.log(`added ${missing.length} entries`)
} else if (missing.length > 0) {
  for (const [name, version] of missing) console.log(`package-lock.json has no ${name}@${version}`)
  console.log("npm ci would refuse this file: run node scripts/check-lock-file.mjs --fix")
  process.exitCode = 1
}
console.log(`saw ${Object.keys(lock.packages).length} packages`)

function isLocked(parent, name) {
  const folders =
    parent === "" ? [] : parent.split("/node_modules/").map((_, i, all) => all.slice(0, i + 1).join("/node_modules/"))
  return [`node_modules/${name}`, ...folders.map((folder) => `${folder}/node_modules/${name}`)].some(
    (path) => path in lock.packages,
  )
}

function entryFor(name, version, dev) {
  const words = name.split("/").at(-1).split("-")
  const os = words.map((word) => SYSTEMS[word] ?? word).find((word) => KNOWN_SYSTEMS.includes(word) || word === "win32")
  const cpu = words.find((word) => KNOWN_CPUS.includes(word))
  if (cpu === undefined || !/^\d+\.\d+\.\d+/.test(version)) {
    throw new Error(`cannot tell the platform of ${name}@${version}; add it to package-lock.json by hand`)
  }
  const libc = words.some((word) => word.startsWith("musl"))
    ? "musl"
    : words.some((word) => word.startsWith("gnu"))
      ? "glibc"
      : undefined
  return {
    version,
    cpu: [cpu],
    ...(dev && { dev: true }),
    ...(libc !== undefined && { libc: [libc] }),
    optional: true,
    ...(os !== undefined && { os: [os] }),
  }
}
