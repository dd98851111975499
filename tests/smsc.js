// An SMSC on npm's `smpp`, driven by lines of JSON on its standard input; it tells what happens in such lines.
const smpp = require('smpp');
const readline = require('readline');
const fs = require('fs');

const options = JSON.parse(process.argv[2]); // port, system_id, password, first: the first message id; key, cert: files
const sessions = [];
const answers = []; // for the next submissions: a status, or "silence"; without one it takes them
let refusal = 0; // the status that binds are answered with
let id = options.first;

const tell = (what) => process.stdout.write(JSON.stringify(what) + '\n');
const hex = (buffer) => (Buffer.isBuffer(buffer) ? buffer.toString('hex') : buffer);

function bind(session, pdu) {
  const known = pdu.system_id === options.system_id && pdu.password === options.password;
  const status = refusal || (known ? 0 : smpp.ESME_RINVPASWD);
  tell({ ev: 'bind', as: pdu.command, status, version: pdu.interface_version, system_type: pdu.system_type });
  session.send(pdu.response(status ? { command_status: status } : { system_id: 'SMSC' }));
  if (status) session.close();
  else if (pdu.command === 'bind_transceiver') sessions.push(Object.assign(session, { brought: new Set() }));
}

function submit(session, pdu) {
  const answer = answers.shift() ?? 0;
  const name = (id++).toString(16);
  const { message, udh } = pdu.short_message;
  const fields = ['source_addr', 'source_addr_ton', 'source_addr_npi', 'destination_addr', 'dest_addr_ton',
    'dest_addr_npi', 'data_coding', 'esm_class', 'registered_delivery', 'validity_period', 'sequence_number'];
  const said = Object.fromEntries(fields.map((field) => [field, pdu[field]]));
  tell({ ev: 'submit', ...said, message, udh: udh ? udh.map(hex) : null, id: answer === 0 ? name : null, answer });
  if (answer === 'silence') return;
  session.send(pdu.response(answer ? { command_status: answer } : { message_id: name }));
}

const buffers = (fields) => Object.fromEntries(
  Object.entries(fields).map(([name, value]) => [name, value && value.hex !== undefined ? Buffer.from(value.hex, 'hex') : value]));

function deliver({ tag, fields }) {
  const session = sessions[sessions.length - 1];
  if (!session || session.brought.has(tag)) return; // within a session nothing that was taken is brought twice
  session.brought.add(tag);
  session.deliver_sm(buffers(fields), (pdu) => {
    tell({ ev: 'answered', tag, status: pdu.command_status });
    if (pdu.command_status !== smpp.ESME_RX_T_APPN) return;
    session.brought.delete(tag); // which it has not, and is to be brought again
    setTimeout(deliver, 200, { tag, fields });
  });
}

const orders = {
  deliver,
  answers: ({ list }) => answers.push(...list),
  refuse: ({ status }) => { refusal = status; },
  drop: () => sessions.splice(0).forEach((session) => session.destroy()),
};

const secure = options.key ? { key: fs.readFileSync(options.key), cert: fs.readFileSync(options.cert) } : {};
const server = smpp.createServer(secure, (session) => {
  for (const command of ['bind_transceiver', 'bind_transmitter', 'bind_receiver']) {
    session.on(command, (pdu) => bind(session, pdu));
  }
  session.on('submit_sm', (pdu) => submit(session, pdu));
  session.on('enquire_link', (pdu) => { tell({ ev: 'enquire_link' }); session.send(pdu.response()); });
  session.on('unbind', (pdu) => { tell({ ev: 'unbind' }); session.send(pdu.response()); session.close(); });
  session.on('error', () => session.destroy());
  session.on('close', () => {
    if (sessions.includes(session)) sessions.splice(sessions.indexOf(session), 1);
    tell({ ev: 'close' });
  });
});
server.listen(options.port, '127.0.0.1', () => tell({ ev: 'up' }));
readline.createInterface({ input: process.stdin }).on('line', (line) => {
  const order = JSON.parse(line);
  orders[order.do](order);
}).on('close', () => process.exit());
