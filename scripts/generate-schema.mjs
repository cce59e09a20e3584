/** Writes packages/engine/sql/schema.sql from what the migrations add up to; with `--check`, compares it. */
import { connect } from "../packages/engine/dist/database/connect.js"
import { migrate } from "../packages/engine/dist/store/migrate.js"
import { outputFile } from "./dist/generate/output-file.js"
import { dumpSchema } from "./dist/schema/dump-schema.js"

const FILE = "packages/engine/sql/schema.sql"

const database = await connect("pglite:memory")
await migrate(database)
const schema = await dumpSchema((text) => database.query({ text }))
await database.close()
outputFile(FILE, schema, "the migrations add up to")
console.log(`saw ${schema.match(/^create table /gm)?.length ?? 0} tables`)
