// Runs every scenario with MQTT.js and prints one line each: "pass NAME" or "fail NAME: why".
// usage: node interop.mjs PORT PROTOCOL_VERSION
import mqtt from 'mqtt';

const [port, version] = process.argv.slice(2).map(Number);
const url = `mqtt://127.0.0.1:${port}`;
const prefix = `js/${version}/${process.pid}`;
const limit = 10_000; // ms; a miss is a defect, not a slow moment

const within = (promise, what) => {
  let timer;
  const expired = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what}: nothing within ${limit} ms`)), limit);
  });
  return Promise.race([promise, expired]).finally(() => clearTimeout(timer));
};

const open = async (options = {}) => {
  const client = mqtt.connect(url, { protocolVersion: version, reconnectPeriod: 0, ...options });
  const inbox = [];
  const waiting = [];
  client.on('message', (topic, payload, packet) => {
    const message = { topic, text: payload.toString(), packet };
    waiting.length > 0 ? waiting.shift()(message) : inbox.push(message);
  });
  client.next = () => within(
    new Promise((resolve) => (inbox.length > 0 ? resolve(inbox.shift()) : waiting.push(resolve))), 'a message');
  client.connack = await within(
    new Promise((resolve, reject) => client.once('connect', resolve).once('error', reject)), 'CONNACK');
  return client;
};

const expect = (actual, wanted, what) => {
  if (actual !== wanted) {
    throw new Error(`${what} is ${actual}, not ${wanted}`);
  }
};

// 3.1 has no Session Present, so the scenarios are for 3.1.1 (4) and 5.
const durable = (clientId) => ({
  clientId, clean: false, ...(version === 5 ? { properties: { sessionExpiryInterval: 600 } } : {}),
});

const scenarios = {};
for (const qos of [0, 1, 2]) {
  scenarios[`qos ${qos}`] = async () => {
    const subscriber = await open();
    await subscriber.subscribeAsync(`${prefix}/q${qos}/+`, { qos });
    const publisher = await open();
    for (let number = 0; number < 50; number++) {
      await publisher.publishAsync(`${prefix}/q${qos}/t`, `${number}`, { qos });
    }
    for (let number = 0; number < 50; number++) {
      const message = await subscriber.next();
      expect(message.text, `${number}`, 'payload');
      expect(message.packet.qos, qos, 'QoS');
    }
    await subscriber.endAsync();
    await publisher.endAsync();
  };
}

scenarios.retained = async () => {
  const publisher = await open();
  await publisher.publishAsync(`${prefix}/r`, 'kept', { qos: 1, retain: true });
  const subscriber = await open();
  await subscriber.subscribeAsync(`${prefix}/r`);
  const message = await subscriber.next();
  expect(message.text, 'kept', 'payload');
  expect(message.packet.retain, true, 'retain');
  await publisher.publishAsync(`${prefix}/r`, '', { qos: 1, retain: true });
  await subscriber.endAsync();
  await publisher.endAsync();
};

scenarios.will = async () => {
  const watcher = await open();
  await watcher.subscribeAsync(`${prefix}/w`, { qos: 1 });
  const client = await open({ will: { topic: `${prefix}/w`, payload: Buffer.from('gone'), qos: 1, retain: false } });
  client.stream.destroy();
  expect((await watcher.next()).text, 'gone', 'will');
  await watcher.endAsync();
};

scenarios['persistent session'] = async () => {
  const options = durable(`${prefix}/session`);
  const before = await open(options);
  expect(before.connack.sessionPresent, false, 'session present');
  await before.subscribeAsync(`${prefix}/s`, { qos: 2 });
  await before.endAsync();
  const publisher = await open();
  for (const qos of [1, 2]) {
    await publisher.publishAsync(`${prefix}/s`, `waited ${qos}`, { qos });
  }
  const after = await open(options);
  expect(after.connack.sessionPresent, true, 'session present');
  for (const qos of [1, 2]) {
    expect((await after.next()).text, `waited ${qos}`, 'payload');
  }
  await after.endAsync();
  await publisher.endAsync();
};

scenarios['request and response'] = async () => {
  if (version !== 5) {
    return;
  }
  const responder = await open();
  await responder.subscribeAsync(`${prefix}/ask`, { qos: 1 });
  const asker = await open();
  await asker.subscribeAsync(`${prefix}/answer`, { qos: 1 });
  await asker.publishAsync(`${prefix}/ask`, 'question', {
    qos: 1,
    properties: { responseTopic: `${prefix}/answer`, correlationData: Buffer.from([1, 2, 3]), userProperties: { a: 'b' } },
  });
  const { properties } = (await responder.next()).packet;
  expect(properties.userProperties.a, 'b', 'user property');
  await responder.publishAsync(properties.responseTopic, 'answer', {
    qos: 1, properties: { correlationData: properties.correlationData },
  });
  const answer = await asker.next();
  expect(answer.packet.properties.correlationData.toString('hex'), '010203', 'correlation data');
  await asker.endAsync();
  await responder.endAsync();
};

let failed = 0;
for (const [name, run] of Object.entries(scenarios)) {
  try {
    await run();
    console.log(`pass ${name}`);
  } catch (error) {
    failed++;
    console.log(`fail ${name}: ${error.message}`);
  }
}
process.exit(failed === 0 ? 0 : 1);
