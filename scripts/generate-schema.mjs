/** Writes packages/engine/sql/schema.sql from what the migrations add up to; with `--check`, compares it. */
import { readFileSync, writeFileSync } from "node:fs"
import { connect } from "../packages/engine/dist/database/connect.js"
import { migrate } from "../packages/engine/dist/store/migrate.js"
import { dumpSchema } from "./dist/schema/dump-schema.js"

const FILE = "packages/engine/sql/schema.sql"

const database = await connect("pglite:memory")
await migrate(database)
const schema = await dumpSchema((text) => database.query({ text }))
await database.close()
if (process.argv.includes("--check")) {
  if (readFileSync(FILE, "utf8") !== schema) {
    console.log(`${FILE} is not what the migrations add up to: run npm run generate`)
    process.exitCode = 1
  }
} else {
  writeFileSync(FILE, schema)
}
console.log(`saw ${schema.match(/^create table /gm)?.length ?? 0} tables`)
