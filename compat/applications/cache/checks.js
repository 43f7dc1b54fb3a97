'use strict';
// Two caches of npm: keyv with @keyv/redis, and the sessions of Express with connect-redis.
const http = require('node:http');
const session = require('express-session');
const { RedisStore } = require('connect-redis');
const { default: Keyv } = require('keyv');
const { default: KeyvRedis } = require('@keyv/redis');
const { createClient } = require('redis');
const { assert, check, finish, nodes, eventually, PORTS, PASSWORD } = require('../../clients/node/harness');

const url = (port) => `redis://default:${PASSWORD}@127.0.0.1:${port}`;

async function keyv(cache, other) {
  assert.equal(await cache.set('a', { deep: ['value', 1] }), true);
  assert.deepEqual(await other.get('a'), { deep: ['value', 1] });
  assert.equal(await cache.get('none'), undefined);
  assert.equal(await cache.set('short', 'v', 150), true);
  await eventually(async () => (await other.get('short')) === undefined, 'the entry has ended');
  await Promise.all(Array.from({ length: 300 }, (_, i) => cache.set(`many:${i}`, i)));
  assert.deepEqual(await cache.get(['many:1', 'many:299', 'many:300']), [1, 299, undefined]);
  assert.equal(await cache.delete('many:1'), true);
  assert.equal(await cache.has('many:1'), false);
  const names = [];
  for await (const [name] of cache.iterator()) names.push(name);
  assert.equal(names.length, 300);
  await cache.clear();
  assert.equal(await other.get('a'), undefined);
}

// A web server whose sessions live in the cluster. Replies with how often this session has come.
async function visits(port) {
  const client = createClient({ url: url(port) });
  client.on('error', () => {});
  await client.connect();
  const sessions = session({ store: new RedisStore({ client, prefix: 'sess:' }), secret: 'secret', resave: false,
    saveUninitialized: false });
  const server = http.createServer((request, response) => {
    sessions(request, response, () => {
      if (request.url === '/leave') {
        request.session.destroy(() => response.end('left'));
        return;
      }
      request.session.visits = (request.session.visits ?? 0) + 1;
      response.end(String(request.session.visits));
    });
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { client, server, url: `http://127.0.0.1:${server.address().port}` };
}

async function visit(site, cookie, path = '/') {
  const response = await fetch(site.url + path, { headers: cookie ? { cookie } : {} });
  return { text: await response.text(), cookie: response.headers.get('set-cookie')?.split(';')[0] ?? cookie };
}

async function sessions(sites) {
  let { text, cookie } = await visit(sites[0]);
  assert.equal(text, '1');
  for (const [site, wanted] of [[0, '2'], [1, '3'], [1, '4'], [0, '5']]) {
    ({ text, cookie } = await visit(sites[site], cookie));
    assert.equal(text, wanted);
  }
  assert.equal((await visit(sites[0])).text, '1'); // somebody else
  const all = await new RedisStore({ client: sites[1].client, prefix: 'sess:' }).all();
  assert.equal(all.length, 2);
  assert.equal((await visit(sites[0], cookie, '/leave')).text, 'left');
  assert.equal((await visit(sites[1], cookie)).text, '1');
}

async function sessionsOutliveANode(sites) {
  const { cookie } = await visit(sites[1]);
  nodes('kill', 0);
  assert.equal((await visit(sites[1], cookie)).text, '2');
  assert.equal((await visit(sites[1], cookie)).text, '3');
  nodes('start', 0);
  nodes('wait');
  await eventually(() => sites[0].client.isReady, 'the first server has connected again');
  assert.equal((await visit(sites[0], cookie)).text, '4');
}

async function main() {
  const caches = PORTS.map((port) => new Keyv({ store: new KeyvRedis(url(port)), namespace: 'cache' }));
  await check('keyv', () => keyv(caches[0], caches[1]));
  await Promise.all(caches.map((cache) => cache.disconnect()));
  const sites = [await visits(PORTS[0]), await visits(PORTS[1])];
  await check('sessions of express, through two servers', () => sessions(sites));
  await check('sessions outlive a node', () => sessionsOutliveANode(sites));
  await check('nodes agree', () => nodes('agree'));
  finish();
}

main();
