// Turns the server's OpenAPI document into src/api/openapi.ts. The console uses the names of its schemas only;
// operation ids are left out, so that they need not be unique for it.
import { readFile, writeFile } from 'node:fs/promises'
import openapiTS, { astToString } from 'openapi-typescript'

const document = JSON.parse(await readFile(new URL('../crates/server/openapi.json', import.meta.url), 'utf8'))
for (const path of Object.values(document.paths)) {
  for (const operation of Object.values(path)) delete operation.operationId
}
await writeFile(new URL('src/api/openapi.ts', import.meta.url), astToString(await openapiTS(document)))
