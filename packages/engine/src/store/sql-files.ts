import { createHash } from "node:crypto"
import { readdir, readFile } from "node:fs/promises"
import { basename } from "node:path"
import { fileURLToPath } from "node:url"

/** One file of `sql/`. */
export interface SqlFile {
  /** The file's name without its ending: `000001_create_definitions`, `advance`. */
  readonly name: string
  readonly text: string
  /** SHA-256 of the text, in hex. */
  readonly hash: string
}

/** Everything that makes up the schema. */
export interface SqlFiles {
  /** In the order in which they apply. */
  readonly migrations: readonly SqlFile[]
  /** Functions, then views: what is replaced whenever it changed. */
  readonly routines: readonly SqlFile[]
}

// The same path from src/store/ and from dist/store/.
const SQL_DIRECTORY = new URL("../../sql/", import.meta.url)

/** Reads the schema that this version of the package needs. */
export async function readSqlFiles(): Promise<SqlFiles> {
  const [migrations, functions, views] = await Promise.all(["migrations", "functions", "views"].map(readFolder))
  return { migrations: migrations ?? [], routines: [...(functions ?? []), ...(views ?? [])] }
}

async function readFolder(folder: string): Promise<readonly SqlFile[]> {
  const directory = new URL(`${folder}/`, SQL_DIRECTORY)
  const names = (await readdir(fileURLToPath(directory))).filter((name) => name.endsWith(".sql")).toSorted()
  return Promise.all(
    names.map(async (file) => {
      const text = await readFile(new URL(file, directory), "utf8")
      return { name: basename(file, ".sql"), text, hash: createHash("sha256").update(text).digest("hex") }
    }),
  )
}
