// A message centre for the tests: npm's `smpp` as a server. It writes what it sees as JSON lines and does what it is
// told by JSON lines.
//
//   {"do": "answer", "statuses": [88, 0]}   command statuses of the next answers to submit_sm; then 0 again
//   {"do": "silence", "on": true}           no answers to submit_sm, and with "links" none to enquire_link
//   {"do": "bind", "status": 14}            command status of the next binds
//   {"do": "deliver", "pdu": {...}}         sends deliver_sm on the newest session
//   {"do": "raw", "bytes": "..."}            writes these bytes on the newest session
//   {"do": "unbind"}, {"do": "drop"}        ends the newest session politely, or not
'use strict';

const smpp = require('smpp');
const { readFileSync } = require('fs');
const readline = require('readline');

const say = (line) => process.stdout.write(JSON.stringify(line) + '\n');
const options = process.argv[2] ? { key: readFileSync(process.argv[2]), cert: readFileSync(process.argv[3]) } : {};

let statuses = [];
let silent = false;
let silentLinks = false;
let bindStatus = 0;
let newest = null;
let count = 0;

const server = smpp.createServer(options, (session) => {
  newest = session;
  session.on('bind_transceiver', (pdu) => {
    say({ event: 'bind', system_id: pdu.system_id, password: pdu.password, version: pdu.interface_version, type: pdu.system_type });
    session.send(pdu.response({ command_status: bindStatus, system_id: 'smsc' }));
  });
  session.on('submit_sm', (pdu) => {
    const status = statuses.length > 0 ? statuses.shift() : 0;
    // Ids beyond 9 tell hexadecimal from decimal.
    const id = (0xa0 + count).toString(16);
    if (status === 0 && !silent) count += 1;
    say({
      event: 'submit', id, from: pdu.source_addr, from_ton: pdu.source_addr_ton, to: pdu.destination_addr, to_ton: pdu.dest_addr_ton,
      to_npi: pdu.dest_addr_npi, data_coding: pdu.data_coding, esm_class: pdu.esm_class, registered_delivery: pdu.registered_delivery,
      text: pdu.short_message.message, udh: (pdu.short_message.udh || []).map((one) => one.toString('hex')), at: Date.now(),
    });
    if (!silent) session.send(pdu.response({ command_status: status, message_id: status === 0 ? id : '' }));
  });
  session.on('enquire_link', (pdu) => {
    say({ event: 'enquire_link' });
    if (!silentLinks) session.send(pdu.response());
  });
  session.on('unbind', (pdu) => {
    say({ event: 'unbind' });
    session.send(pdu.response());
    session.close();
  });
  session.on('unknown', (pdu) => say({ event: 'unknown', command_id: pdu.command_id }));
  session.on('deliver_sm_resp', (pdu) => say({ event: 'deliver_answer', status: pdu.command_status, sequence: pdu.sequence_number }));
  session.on('generic_nack', (pdu) => say({ event: 'nack', status: pdu.command_status, sequence: pdu.sequence_number }));
  session.on('close', () => say({ event: 'close' }));
  session.on('error', () => {});
});

server.listen(0, '127.0.0.1', () => say({ event: 'listening', port: server.address().port }));

// Buffers come as {"hex": "..."}.
const revive = (key, value) => (value && typeof value.hex === 'string' ? Buffer.from(value.hex, 'hex') : value);

const acts = {
  answer: (line) => { statuses = line.statuses; },
  silence: (line) => { silent = line.on; silentLinks = Boolean(line.links); },
  bind: (line) => { bindStatus = line.status; },
  deliver: (line) => newest.deliver_sm(line.pdu),
  raw: (line) => newest.socket.write(Buffer.from(line.bytes, 'hex')),
  unbind: () => newest.unbind(),
  drop: () => newest.destroy(),
};

readline.createInterface({ input: process.stdin }).on('line', (text) => {
  const line = JSON.parse(text, revive);
  acts[line.do](line);
  say({ event: 'done' });
}).on('close', () => process.exit(0));
