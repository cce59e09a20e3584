import { fileURLToPath } from "node:url"
import { defineConfig } from "vitest/config"

const engineSource = (file: string): string => fileURLToPath(new URL(`./packages/engine/src/${file}`, import.meta.url))

const examplesSource = fileURLToPath(new URL("./examples/", import.meta.url))

export default defineConfig({
  resolve: {
    // Tests of other packages run the engine's source, not its dist: stack traces and coverage then name the
    // line that was written, and a test run after an edit cannot see the build from before it. Processes that a
    // test starts (workers to be killed, the demo, the bench) do run dist, which `npm test` builds first.
    alias: [
      { find: /^@tasker\/engine$/, replacement: engineSource("index.ts") },
      { find: /^@tasker\/engine\/testing$/, replacement: engineSource("testing.ts") },
      { find: /^@tasker-examples\/patterns\/(.*)$/, replacement: `${examplesSource}patterns/src/$1.ts` },
    ],
  },
  test: {
    globalSetup: ["packages/engine/src/database/test-setup.ts"],
    // Most tests wait for a database or a process. vitest's default leaves one core out, which on two cores is half.
    maxWorkers: "100%",
    // One process for many files, which imports the engine and compiles PGlite once, and whose code is warm: 470 s of CPU
    // time in place of 625. A file has to leave the process as it found it.
    isolate: false,
    // A limit is for tests that hang. On a busy machine initdb alone, in a hook, has taken four seconds.
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // As is this: what is polled for may take more than vitest's second there.
    expect: { poll: { timeout: 10_000 } },
    include: [
      "packages/*/src/**/*.test.ts",
      "test/**/*.test.ts",
      "examples/**/*.test.ts",
      "bench/**/*.test.ts",
      "scripts/**/*.test.ts",
    ],
    exclude: ["**/node_modules/**", "**/dist/**"],
  },
})
