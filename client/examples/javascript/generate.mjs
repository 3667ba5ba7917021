// Makes types from the documents: events/<type>.d.ts from AsyncAPI, sla.d.ts from sla's OpenAPI.
// node generate.mjs ASYNCAPI_FILE SLA_ADDRESS
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { compile } from 'json-schema-to-typescript'
import openapiTS, { astToString } from 'openapi-typescript'

const [asyncapiFile, sla] = process.argv.slice(2)
const { channels, components } = JSON.parse(await readFile(asyncapiFile, 'utf8'))

await mkdir('events', { recursive: true })
// A department's topic has the events of case-events, without what is confidential to it.
for (const name of Object.keys(channels['case-events'].messages)) {
  const { schema } = components.messages[name].payload
  await writeFile(`events/${name}.d.ts`, await compile(schema, schema.title, { additionalProperties: false }))
}
await writeFile('sla.d.ts', astToString(await openapiTS(new URL('/openapi.json', sla))))
