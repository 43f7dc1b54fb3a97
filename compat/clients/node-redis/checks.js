'use strict';
// redis, from npm (node-redis): createClient with RESP2 and RESP3, and createCluster.
const { createClient, createCluster } = require('redis');
const { assert, check, finish, nodes, delay, refused, eventually, goOn, PORTS, PASSWORD } = require('../node/harness');

async function plain(port = PORTS[0], options = {}) {
  const client = createClient({ url: `redis://127.0.0.1:${port}`, password: PASSWORD, ...options });
  client.on('error', () => {}); // commands reject by themselves
  return client.connect();
}

async function clustered(options = {}) {
  const cluster = createCluster({
    rootNodes: PORTS.map((port) => ({ url: `redis://127.0.0.1:${port}` })), defaults: { password: PASSWORD }, ...options,
  });
  cluster.on('error', () => {});
  return cluster.connect();
}

async function auth() {
  await assert.rejects(plain(PORTS[0], { password: 'wrong', socket: { reconnectStrategy: false } }), /WRONGPASS/);
  const nobody = await plain(PORTS[0], { password: undefined, disableClientInfo: true });
  await refused(nobody.get('k'), 'NOAUTH');
  assert.equal(await nobody.auth({ username: 'default', password: PASSWORD }), 'OK');
  nobody.destroy();
}

async function select(c) {
  const other = await plain(PORTS[0], { database: 3 });
  await other.set('where', 'three');
  await c.del('where');
  assert.deepEqual([await c.get('where'), await other.get('where')], [null, 'three']);
  other.destroy();
}

async function setname() {
  const named = await plain(PORTS[0], { name: 'tester' });
  assert.equal(await named.clientGetName(), 'tester');
  const info = await named.clientInfo();
  assert.equal(info.name, 'tester');
  named.destroy();
}

async function resp3() {
  const c = await plain(PORTS[1], { RESP: 3 });
  assert.deepEqual((await c.sendCommand(['HELLO'])).proto, 3);
  await c.del(['r3:h', 'r3:z', 'r3:s']);
  await c.hSet('r3:h', { a: '1', b: '2' });
  assert.deepEqual({ ...(await c.sendCommand(['HGETALL', 'r3:h'])) }, { a: '1', b: '2' });
  await c.zAdd('r3:z', [{ score: 1.5, value: 'm' }, { score: Infinity, value: 'n' }]);
  assert.deepEqual(await c.zRangeWithScores('r3:z', 0, -1), [{ value: 'm', score: 1.5 }, { value: 'n', score: Infinity }]);
  assert.equal(await c.zScore('r3:z', 'm'), 1.5);
  assert.deepEqual(await c.zmScore('r3:z', ['m', 'none']), [1.5, null]);
  await c.sAdd('r3:s', ['x', 'y']);
  assert.deepEqual((await c.sMembers('r3:s')).sort(), ['x', 'y']);
  assert.deepEqual((await c.configGet('maxmemory-policy'))['maxmemory-policy'], 'noeviction');
  assert.deepEqual(await c.mGet(['none', 'r3:none']), [null, null]);
  await refused(c.incr('r3:h'), 'WRONGTYPE');
  c.destroy();
}

async function pipeline(c) {
  const keys = Array.from({ length: 1000 }, (_, i) => `pipe:${i}`);
  const replies = await Promise.all(keys.flatMap((key) => [c.set(key, key.slice(5)), c.incr('pipe:count')]));
  assert.deepEqual(replies.slice(-2), ['OK', 1000]);
  assert.deepEqual(await c.mGet(keys), keys.map((key) => key.slice(5)));
  const batch = await c.multi().set('pipe:a', 'b').get('pipe:a').execAsPipeline();
  assert.deepEqual(batch, ['OK', 'b']);
}

async function strings(c) {
  assert.equal(await c.set('{s}a', 'hello', { EX: 100 }), 'OK');
  assert.equal(await c.set('{s}a', 'again', { NX: true }), null);
  assert.deepEqual([await c.append('{s}a', ' world'), await c.getRange('{s}a', 0, 4)], [11, 'hello']);
  assert.equal(await c.mSet({ '{s}b': '1', '{s}c': '2' }), 'OK');
  assert.deepEqual(await c.mGet(['{s}b', '{s}c', '{s}none']), ['1', '2', null]);
  assert.deepEqual([await c.incrBy('{s}b', 41), await c.incrByFloat('{s}c', 0.5)], [42, '2.5']);
  assert.equal(await c.getDel('{s}b'), '42');
}

async function bits(c) {
  for (const at of [1, 9, 100]) assert.equal(await c.setBit('bits', at, 1), 0);
  assert.deepEqual([await c.bitCount('bits'), await c.bitPos('bits', 1)], [3, 1]);
}

async function hashes(c) {
  const fields = Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`f${i}`, String(i)]));
  assert.equal(await c.hSet('hash', fields), 100);
  assert.deepEqual({ ...(await c.hGetAll('hash')) }, fields);
  assert.deepEqual([await c.hIncrBy('hash', 'f1', 9), await c.hDel('hash', 'f2'), await c.hLen('hash')], [10, 1, 99]);
}

async function lists(c) {
  assert.equal(await c.rPush('list', ['0', '1', '2', '3', '4']), 5);
  assert.deepEqual([await c.lPop('list'), await c.rPopCount('list', 1)], ['0', ['4']]);
  assert.deepEqual([await c.lInsert('list', 'BEFORE', '3', 'x'), await c.lRem('list', 1, '2')], [4, 1]);
  assert.deepEqual(await c.lRange('list', 0, -1), ['1', 'x', '3']);
}

async function sets(c) {
  assert.deepEqual([await c.sAdd('{x}a', ['1', '2', '3']), await c.sAdd('{x}b', ['2', '3', '4'])], [3, 3]);
  assert.deepEqual((await c.sInter(['{x}a', '{x}b'])).sort(), ['2', '3']);
  assert.deepEqual(await c.smIsMember('{x}a', ['3', '33']), [1, 0]);
}

async function zsets(c) {
  const members = [1, 2, 3].map((score) => ({ score, value: `m${score}` }));
  assert.equal(await c.zAdd('zset', members), 3);
  assert.deepEqual([await c.zIncrBy('zset', 20.5, 'm1'), await c.zRank('zset', 'm1')], [21.5, 2]);
  assert.deepEqual(await c.zRangeWithScores('zset', 0, 0), [{ value: 'm2', score: 2 }]);
  assert.deepEqual(await c.zPopMin('zset'), { value: 'm2', score: 2 });
}

async function hyperloglog(c) {
  await c.pfAdd('{h}a', Array.from({ length: 1000 }, (_, i) => String(i)));
  await c.pfAdd('{h}b', Array.from({ length: 1000 }, (_, i) => String(i + 500)));
  await c.pfMerge('{h}c', ['{h}a', '{h}b']);
  assert.ok(Math.abs(await c.pfCount('{h}c') - 1500) < 60);
}

async function geo(c) {
  await c.geoAdd('geo', [{ longitude: 13.361389, latitude: 38.115556, member: 'Palermo' },
    { longitude: 15.087269, latitude: 37.502669, member: 'Catania' }]);
  assert.equal(Math.round(await c.geoDist('geo', 'Palermo', 'Catania', 'km') * 10), 1663);
  assert.deepEqual(await c.geoSearch('geo', { longitude: 15, latitude: 37 }, { radius: 100, unit: 'km' }), ['Catania']);
}

async function collect(iterator) {
  const found = [];
  for await (const part of iterator) found.push(...part);
  return found;
}

async function scan(c) {
  const keys = Array.from({ length: 500 }, (_, i) => `scan:${i}`);
  await c.mSet(keys.map((key) => [key, 'v']));
  assert.deepEqual((await collect(c.scanIterator({ MATCH: 'scan:*', COUNT: 50 }))).sort(), keys.sort());
  assert.equal((await collect(c.hScanIterator('hash', { COUNT: 7 }))).length, 99);
  assert.deepEqual((await collect(c.sScanIterator('{x}b'))).sort(), ['2', '3', '4']);
  assert.equal((await collect(c.zScanIterator('zset'))).length, 2);
}

async function expiry(c) {
  await c.set('short', 'v', { PX: 150 });
  await eventually(async () => (await c.get('short')) === null, 'the key has ended');
  await c.set('long', 'v');
  assert.equal(await c.expire('long', 1000), 1);
  assert.ok(await c.ttl('long') > 990);
  assert.deepEqual([await c.persist('long'), await c.ttl('long')], [1, -1]);
}

async function errors(c) {
  await c.set('string', 'v');
  await refused(c.lPush('string', 'x'), 'WRONGTYPE');
  await refused(c.incr('string'), 'not an integer');
  assert.equal(await c.get('string'), 'v');
}

async function large(c) {
  const value = 'x1y2z'.repeat(2 << 20);
  assert.equal(await c.set('large', value), 'OK');
  assert.ok(await c.get('large') === value);
  assert.equal(await c.del('large'), 1);
}

async function blocking(c) {
  const waiting = await plain(PORTS[1]);
  assert.equal(await waiting.bzPopMin('none', 1), null);
  const popped = waiting.bzPopMin(['none', '{w}zset'], 20);
  await delay(200);
  await c.zAdd('{w}zset', { score: 7, value: 'm' });
  assert.deepEqual({ ...(await popped) }, { key: '{w}zset', value: 'm', score: 7 });
  waiting.destroy();
}

async function blockingLists(c) {
  const waiting = await plain(PORTS[1]);
  const popped = waiting.blPop(['none', '{w}list'], 20);
  await delay(200);
  await c.rPush('{w}list', 'x');
  assert.deepEqual({ ...(await popped) }, { key: '{w}list', element: 'x' });
  waiting.destroy();
}

async function reconnect() {
  let at = 0;
  const once = { disableOfflineQueue: true };
  let c = await plain(PORTS[0], once);
  // A list of nodes: the next one when its own is gone.
  const through = (act) => act(c).catch(async (error) => {
    c.destroy();
    at = (at + 1) % PORTS.length;
    c = await plain(PORTS[at], once);
    throw error;
  });
  const looking = await plain(PORTS[2]);
  await goOn('reconnect', {
    write: (key, value) => through((client) => client.set(key, value)),
    count: (key) => through((client) => client.incr(key)),
    read: (key) => through((client) => client.get(key)),
    look: (key) => looking.get(key),
    kill: () => nodes('kill', 0),
  });
  nodes('start', 0);
  nodes('wait');
  c.destroy();
  looking.destroy();
}

async function reconnectByItself() {
  const c = await plain(PORTS[1]);
  await c.set('by-itself', 'v');
  nodes('kill', 1);
  await eventually(() => !c.isReady, 'the client has noticed');
  const later = c.get('by-itself'); // waits in the client's own queue
  nodes('start', 1);
  assert.equal(await later, 'v');
  nodes('wait');
  c.destroy();
}

async function forwarded() {
  let sum = 0;
  for (const port of PORTS) {
    const c = await plain(port);
    sum += Number(/requests_forwarded:(\d+)/.exec(await c.info('dynamo'))[1]);
    c.destroy();
  }
  return sum;
}

/// Every command goes straight to its slot's coordinator: no node forwards any.
async function routing(cluster) {
  const numbers = Array.from({ length: 300 }, (_, i) => i);
  const before = await forwarded();
  await Promise.all(numbers.map((i) => cluster.set(`route:${i}`, String(i))));
  assert.deepEqual(await Promise.all(numbers.map((i) => cluster.get(`route:${i}`))), numbers.map(String));
  assert.equal(await forwarded() - before, 0);
}

// This client asks for the map of slots only when it is told MOVED: with a node that is gone, whichever cluster it is of, it
// waits for that node. A program that is to go on connects anew.
async function clusterReconnect() {
  const options = { defaults: { password: PASSWORD, disableOfflineQueue: true } };
  let cluster = await clustered(options);
  const through = (act) => act(cluster).catch(async (error) => {
    cluster.destroy();
    cluster = await clustered(options);
    throw error;
  });
  const looking = await plain(PORTS[1]);
  await goOn('cluster-reconnect', {
    write: (key, value) => through((client) => client.set(key, value)),
    count: (key) => through((client) => client.incr(key)),
    read: (key) => through((client) => client.get(key)),
    look: (key) => looking.get(key),
    kill: () => nodes('kill', 2),
  });
  nodes('start', 2);
  nodes('wait');
  cluster.destroy();
  looking.destroy();
}

async function main() {
  console.log(`# redis ${require('redis/package.json').version}, node ${process.versions.node}`);
  const c = await plain();
  await check('connect', async () => assert.equal(await c.ping(), 'PONG'));
  await check('auth', auth);
  await check('select', () => select(c));
  await check('setname', setname);
  await check('resp3', resp3);
  const types = { strings, bits, hashes, lists, sets, zsets, hyperloglog, geo };
  const others = { expiry, errors, large };
  await check('pipeline', () => pipeline(c));
  for (const [name, body] of Object.entries({ ...types, scan, ...others, blocking })) await check(name, () => body(c));
  const [blpop] = await c.commandInfo(['BLPOP']);
  await check('blocking lists', () => blockingLists(c), blpop ? '' : 'the server has no BLPOP yet');
  await check('reconnect', reconnect);
  await check('reconnect by itself', reconnectByItself);
  const cluster = await clustered();
  await check('cluster connect', async () => {
    assert.equal(await cluster.get('none'), null);
    assert.equal(cluster.masters.length, 3);
  });
  await check('cluster routing', () => routing(cluster));
  await check('flush', () => c.flushAll());
  for (const [name, body] of Object.entries({ ...types, ...others })) await check(`cluster ${name}`, () => body(cluster));
  await check('cluster reconnect', clusterReconnect);
  await check('nodes agree', () => nodes('agree'));
  finish();
}

main();
