'use strict';
// ioredis, from npm: plain through any node, and its Cluster.
const Redis = require('ioredis');
const { assert, check, finish, nodes, delay, refused, eventually, goOn, PORTS, PASSWORD } = require('../node/harness');

const plain = (options = {}) => quiet(new Redis({ port: PORTS[0], password: PASSWORD, ...options }));
const clustered = (options = {}) => quiet(new Redis.Cluster(
  PORTS.map((port) => ({ host: '127.0.0.1', port })), { redisOptions: { password: PASSWORD }, ...options }));

function quiet(client) {
  client.on('error', () => {}); // commands reject by themselves
  return client;
}

async function auth() {
  const nobody = plain({ password: undefined, enableReadyCheck: false });
  await refused(nobody.get('k'), 'NOAUTH');
  await refused(nobody.call('AUTH', 'wrong'), 'WRONGPASS');
  assert.equal(await nobody.auth(PASSWORD), 'OK');
  assert.equal(await nobody.ping(), 'PONG');
  nobody.disconnect();
}

async function select(c) {
  const other = plain({ db: 3 });
  await other.set('where', 'three');
  await c.del('where');
  assert.deepEqual([await c.get('where'), await other.get('where')], [null, 'three']);
  other.disconnect();
}

async function setname() {
  const named = plain({ connectionName: 'tester' });
  assert.equal(await named.client('GETNAME'), 'tester');
  named.disconnect();
}

async function pipeline(c) {
  const pipe = c.pipeline();
  for (let i = 0; i < 1000; ++i) pipe.set(`pipe:${i}`, i).incr('pipe:count');
  pipe.lpush('pipe:count', 'no list');
  const replies = await pipe.exec();
  assert.deepEqual(replies[1999], [null, 1000]);
  assert.match(replies[2000][0].message, /^WRONGTYPE/);
  const keys = Array.from({ length: 1000 }, (_, i) => `pipe:${i}`);
  assert.deepEqual(await c.mget(keys), keys.map((key) => key.slice(5)));
}

async function strings(c) {
  assert.equal(await c.set('{s}a', 'hello', 'EX', 100), 'OK');
  assert.equal(await c.set('{s}a', 'again', 'NX'), null);
  assert.equal(await c.append('{s}a', ' world'), 11);
  assert.equal(await c.getrange('{s}a', 0, 4), 'hello');
  assert.equal(await c.mset({ '{s}b': 1, '{s}c': 2 }), 'OK');
  assert.deepEqual(await c.mget('{s}b', '{s}c', '{s}none'), ['1', '2', null]);
  assert.equal(await c.incrby('{s}b', 41), 42);
  assert.equal(await c.incrbyfloat('{s}c', 0.5), '2.5');
  assert.equal(await c.getdel('{s}b'), '42');
  const all = Buffer.from(Array.from({ length: 256 }, (_, i) => i));
  await c.set('binary\r\n\0', all);
  assert.deepEqual(await c.getBuffer('binary\r\n\0'), all);
}

async function bits(c) {
  for (const at of [1, 9, 100]) assert.equal(await c.setbit('bits', at, 1), 0);
  assert.deepEqual([await c.bitcount('bits'), await c.bitpos('bits', 1)], [3, 1]);
  assert.deepEqual(await c.bitfield('bits', 'INCRBY', 'u8', '#2', 5, 'GET', 'u8', '#2'), [5, 5]);
}

async function hashes(c) {
  const fields = Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`f${i}`, String(i)]));
  assert.equal(await c.hset('hash', fields), 100);
  assert.deepEqual(await c.hgetall('hash'), fields);
  assert.deepEqual([await c.hincrby('hash', 'f1', 9), await c.hdel('hash', 'f2'), await c.hlen('hash')], [10, 1, 99]);
}

async function lists(c) {
  assert.equal(await c.rpush('list', 0, 1, 2, 3, 4), 5);
  assert.deepEqual([await c.lpop('list'), await c.rpop('list')], ['0', '4']);
  assert.deepEqual([await c.linsert('list', 'BEFORE', '3', 'x'), await c.lrem('list', 1, '2')], [4, 1]);
  assert.deepEqual(await c.lrange('list', 0, -1), ['1', 'x', '3']);
}

async function sets(c) {
  assert.deepEqual([await c.sadd('{x}a', 1, 2, 3), await c.sadd('{x}b', 2, 3, 4)], [3, 3]);
  assert.deepEqual((await c.sinter('{x}a', '{x}b')).sort(), ['2', '3']);
  assert.deepEqual([await c.sdiffstore('{x}c', '{x}a', '{x}b'), await c.smembers('{x}c')], [1, ['1']]);
}

async function zsets(c) {
  assert.equal(await c.zadd('zset', 1, 'a', 2, 'b', 3, 'c'), 3);
  assert.deepEqual([await c.zincrby('zset', 20.5, 'a'), await c.zrank('zset', 'a')], ['21.5', 2]);
  assert.deepEqual(await c.zrange('zset', 0, 0, 'WITHSCORES'), ['b', '2']);
  assert.deepEqual(await c.zpopmin('zset'), ['b', '2']);
}

async function hyperloglog(c) {
  await c.pfadd('{h}a', ...Array.from({ length: 1000 }, (_, i) => i));
  await c.pfadd('{h}b', ...Array.from({ length: 1000 }, (_, i) => i + 500));
  await c.pfmerge('{h}c', '{h}a', '{h}b');
  assert.ok(Math.abs(await c.pfcount('{h}c') - 1500) < 60);
}

async function geo(c) {
  assert.equal(await c.geoadd('geo', 13.361389, 38.115556, 'Palermo', 15.087269, 37.502669, 'Catania'), 2);
  assert.equal(await c.geodist('geo', 'Palermo', 'Catania', 'km'), '166.2742');
  assert.deepEqual(await c.geosearch('geo', 'FROMLONLAT', 15, 37, 'BYRADIUS', 100, 'km'), ['Catania']);
}

async function collect(stream) {
  const found = [];
  for await (const part of stream) found.push(...part);
  return found;
}

async function scan(c) {
  const keys = Array.from({ length: 500 }, (_, i) => `scan:${i}`);
  await c.mset(Object.fromEntries(keys.map((key) => [key, 'v'])));
  assert.deepEqual((await collect(c.scanStream({ match: 'scan:*', count: 50 }))).sort(), keys.sort());
  assert.equal((await collect(c.hscanStream('hash', { count: 7 }))).length, 198);
  assert.deepEqual((await collect(c.sscanStream('{x}b'))).sort(), ['2', '3', '4']);
  assert.equal((await collect(c.zscanStream('zset'))).length, 4);
}

async function expiry(c) {
  await c.set('short', 'v', 'PX', 150);
  await eventually(async () => (await c.get('short')) === null, 'the key has ended');
  await c.set('long', 'v');
  assert.equal(await c.expire('long', 1000), 1);
  assert.ok(await c.ttl('long') > 990);
  assert.deepEqual([await c.persist('long'), await c.ttl('long')], [1, -1]);
}

async function errors(c) {
  await c.set('string', 'v');
  await refused(c.lpush('string', 'x'), 'WRONGTYPE');
  await refused(c.incr('string'), 'not an integer');
  await refused(c.call('GET', 'string', 'more'), 'wrong number of arguments');
  assert.equal(await c.get('string'), 'v');
}

async function large(c) {
  const value = 'x1y2z'.repeat(2 << 20);
  assert.equal(await c.set('large', value), 'OK');
  assert.ok(await c.get('large') === value);
  assert.equal(await c.del('large'), 1);
}

async function blocking(c) {
  const waiting = plain({ port: PORTS[1] });
  assert.equal(await waiting.bzpopmin('none', 1), null);
  const popped = waiting.bzpopmin('none', '{w}zset', 20);
  await delay(200);
  await c.zadd('{w}zset', 7, 'm');
  assert.deepEqual(await popped, ['{w}zset', 'm', '7']);
  waiting.disconnect();
}

async function blockingLists(c) {
  const waiting = plain({ port: PORTS[1] });
  const popped = waiting.blpop('none', '{w}list', 20);
  await delay(200);
  await c.rpush('{w}list', 'x');
  assert.deepEqual(await popped, ['{w}list', 'x']);
  waiting.disconnect();
}

async function reconnect() {
  let at = 0;
  let c = plain({ maxRetriesPerRequest: 1 });
  // A list of nodes: the next one when its own is gone.
  const through = (act) => act(c).catch((error) => {
    c.disconnect();
    at = (at + 1) % PORTS.length;
    c = plain({ port: PORTS[at], maxRetriesPerRequest: 1 });
    throw error;
  });
  const looking = plain({ port: PORTS[2] });
  await goOn('reconnect', {
    write: (key, value) => through((client) => client.set(key, value)),
    count: (key) => through((client) => client.incr(key)),
    read: (key) => through((client) => client.get(key)),
    look: (key) => looking.get(key),
    kill: () => nodes('kill', 0),
  });
  nodes('start', 0);
  nodes('wait');
  c.disconnect();
  looking.disconnect();
}

async function reconnectByItself() {
  const c = plain({ port: PORTS[1] });
  await c.set('by-itself', 'v');
  nodes('kill', 1);
  const later = c.get('by-itself'); // waits in the client's own queue
  nodes('start', 1);
  assert.equal(await later, 'v');
  nodes('wait');
  c.disconnect();
}

async function forwarded() {
  let sum = 0;
  for (const port of PORTS) {
    const c = plain({ port });
    sum += Number(/requests_forwarded:(\d+)/.exec(await c.info('dynamo'))[1]);
    c.disconnect();
  }
  return sum;
}

/// Every command goes straight to its slot's coordinator: no node forwards any.
async function routing(cluster) {
  const numbers = Array.from({ length: 300 }, (_, i) => i);
  const before = await forwarded();
  await Promise.all(numbers.map((i) => cluster.set(`route:${i}`, i)));
  assert.deepEqual(await Promise.all(numbers.map((i) => cluster.get(`route:${i}`))), numbers.map(String));
  assert.equal(await forwarded() - before, 0);
}

async function clusterReconnect() {
  const cluster = clustered();
  const looking = plain({ port: PORTS[1] });
  await goOn('cluster-reconnect', {
    write: (key, value) => cluster.set(key, value),
    count: (key) => cluster.incr(key),
    read: (key) => cluster.get(key),
    look: (key) => looking.get(key),
    kill: () => nodes('kill', 2),
  });
  nodes('start', 2);
  nodes('wait');
  cluster.disconnect();
  looking.disconnect();
}

async function main() {
  console.log(`# ioredis ${require('ioredis/package.json').version}, node ${process.versions.node}`);
  const c = plain();
  await check('connect', async () => assert.equal(await c.ping(), 'PONG'));
  await check('auth', auth);
  await check('select', () => select(c));
  await check('setname', setname);
  const types = { strings, bits, hashes, lists, sets, zsets, hyperloglog, geo };
  const others = { expiry, errors, large };
  await check('pipeline', () => pipeline(c));
  for (const [name, body] of Object.entries({ ...types, scan, ...others, blocking })) await check(name, () => body(c));
  const [blpop] = await c.command('INFO', 'BLPOP');
  await check('blocking lists', () => blockingLists(c), blpop ? '' : 'the server has no BLPOP yet');
  await check('reconnect', reconnect);
  await check('reconnect by itself', reconnectByItself);
  const cluster = clustered();
  await check('cluster connect', async () => {
    assert.equal(await cluster.get('none'), null);
    assert.equal(cluster.nodes('master').length, 3);
  });
  await check('cluster routing', () => routing(cluster));
  await check('flush', () => c.flushall());
  for (const [name, body] of Object.entries({ ...types, ...others })) await check(`cluster ${name}`, () => body(cluster));
  await check('cluster reconnect', clusterReconnect);
  await check('nodes agree', () => nodes('agree'));
  finish();
}

main();
