'use strict';
// node-resque, from npm: a job queue on lists and sets. Delayed jobs need MULTI and WATCH, and are not tried.
const { Queue, Worker } = require('node-resque');
const { assert, check, finish, nodes, eventually, PORTS, PASSWORD } = require('../../clients/node/harness');

const connection = (port) => ({ pkg: 'ioredis', host: '127.0.0.1', port, database: 0, options: { password: PASSWORD } });

function worker(port, name, jobs, done) {
  const one = new Worker({ connection: connection(port), queues: ['math'], name, timeout: 20 }, jobs);
  for (const event of ['error', 'failure']) one.on(event, (...words) => done.failures.push(words.at(-2)));
  one.on('success', (queue, job, result) => done.results.push(result));
  return one;
}

const jobs = {
  add: { perform: async (a, b) => a + b },
  fail: { perform: async () => { throw new Error('cannot'); } },
};

/// Every job is done exactly once, whichever worker takes it.
async function work(queue, done) {
  for (let i = 0; i < 200; ++i) assert.equal(await queue.enqueue('math', 'add', [i, 1000]), true);
  assert.equal(await queue.length('math'), 200);
  assert.deepEqual(await queue.queues(), ['math']);
  const workers = PORTS.map((port, i) => worker(port, `worker-${i}`, jobs, done));
  for (const one of workers) {
    await one.connect();
    one.start();
  }
  await eventually(() => done.results.length >= 200, 'all jobs are done');
  assert.deepEqual([...done.results].sort((a, b) => a - b), Array.from({ length: 200 }, (_, i) => i + 1000));
  assert.equal(Object.keys(await queue.workers()).length, 3);
  return workers;
}

async function fail(queue) {
  await queue.enqueue('math', 'fail', []);
  await eventually(async () => (await queue.failedCount()) === 1, 'the job has failed');
  const [entry] = await queue.failed(0, 0);
  assert.equal(entry.error, 'cannot');
  await queue.removeFailed(entry);
  assert.equal(await queue.failedCount(), 0);
}

async function main() {
  console.log(`# node-resque ${require('node-resque/package.json').version}`);
  const done = { results: [], failures: [] };
  const queue = new Queue({ connection: connection(PORTS[0]) }, jobs);
  queue.on('error', () => {});
  await queue.connect();
  let workers = [];
  await check('every job is done once, by three workers', async () => { workers = await work(queue, done); });
  await check('a job that fails is kept', () => fail(queue));
  await check('counters add up', async () => {
    assert.equal((await queue.stats()).processed, '200');
    assert.equal((await queue.stats()).failed, '1');
  });
  for (const one of workers) await one.end();
  await check('workers sign off', async () => assert.deepEqual(await queue.workers(), {}));
  await check('nodes agree', () => nodes('agree'));
  finish();
}

main();
