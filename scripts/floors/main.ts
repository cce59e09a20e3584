import { checkFloors } from "./check-floors.ts"

const { fileCount, importCount, violations } = checkFloors(process.cwd())
for (const { rule, at, message } of violations) console.log(`${at}  [${rule}] ${message}`)
console.log(`saw ${fileCount} files with ${importCount} imports, ${violations.length} violations`)
process.exitCode = violations.length === 0 ? 0 : 1
