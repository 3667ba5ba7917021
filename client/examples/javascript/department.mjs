// @ts-check
// Reads a department's cases and starts work on each one that is routed to it.
// The environment holds KAFKA_BOOTSTRAP_SERVERS, DEPARTMENT, SLA (address) and TOKEN (of a person).
import { Consumer, stringDeserializers } from '@platformatic/kafka'
import createClient from 'openapi-fetch'

const { KAFKA_BOOTSTRAP_SERVERS = '', DEPARTMENT = '', SLA = '', TOKEN = '' } = process.env
const topic = `department-${DEPARTMENT}`
/** @type {ReturnType<typeof createClient<import('./sla.js').paths>>} */
const sla = createClient({ baseUrl: SLA, headers: { Authorization: `Bearer ${TOKEN}` } })
const consumer = new Consumer({
  groupId: `${topic}.javascript`,
  clientId: 'department',
  bootstrapBrokers: KAFKA_BOOTSTRAP_SERVERS.split(','),
  deserializers: stringDeserializers,
})
const stream = await consumer.consume({ topics: [topic], mode: 'committed', fallbackMode: 'earliest', autocommit: false })
process.once('SIGTERM', () => consumer.close(true))

for await (const record of stream) {
  const type = record.headers.get('ce_type')
  const id = record.headers.get('ce_id') ?? ''
  if (type === 'routed') {
    /** @type {import('./events/routed.js').Routed} */
    const event = JSON.parse(record.value)
    console.log(event.at, type, event.case, event.department)
    // The event's id as the key: an event that comes twice does not act twice.
    const { error } = await sla.POST('/v1/cases/{case}/actions', {
      params: { path: { case: event.case }, header: { 'idempotency-key': id } },
      body: { action: 'start_work', role: 'handler', data: { text: '已派员' } },
    })
    console.log(error ? `refused: ${error.detail}` : `started ${event.case}`)
  }
  await record.commit()
}
