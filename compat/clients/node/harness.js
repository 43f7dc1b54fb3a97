'use strict';
// What the checks of Node's clients share: TAP, the nodes, and writing while one of them is killed.
const assert = require('node:assert/strict');
const { execFileSync } = require('node:child_process');

const PORTS = process.env.COMPAT_PORTS.split(' ').map(Number);
const PASSWORD = 'sesame';
const KILL_AT = 200; // writes
const WRITES_AFTER_KILL = 300;
const GIVE_UP_MS = 60000;
const CHECK_MS_MAX = 90000; // what hangs has failed

let checks = 0;
let failures = 0;

async function check(name, body, skip = '') {
  let verdict = 'ok';
  try {
    if (!skip) await soon(body());
  } catch (error) {
    verdict = 'not ok';
    ++failures;
    console.log(`# ${error.name}: ${error.message}`.replace(/\s+/g, ' ').slice(0, 600));
  }
  console.log(`${verdict} ${++checks} - ${name}${skip && ` # SKIP ${skip}`}`);
}

function soon(promise) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error('hangs')), CHECK_MS_MAX);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

function finish() {
  console.log(`1..${checks}`);
  process.exit(failures === 0 ? 0 : 1);
}

const nodes = (...words) => execFileSync(process.env.COMPAT_CLUSTER, words.map(String), { stdio: 'inherit' });
const delay = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/// The error that the promise rejects with must have these words in it.
const refused = (promise, words) => assert.rejects(promise, (error) => error.message.includes(words));

/// Until the condition, which may be asynchronous, holds.
async function eventually(condition, what) {
  for (const begin = Date.now(); !(await condition()); await delay(20)) {
    if (Date.now() - begin > 10000) throw new Error(`not yet: ${what}`);
  }
}

/// Writes rising values to 40 keys, counts, and reads, while `kill` kills a node; then compares with what `look(key)`
/// says. `write(key, value)`, `count(key)` and `read(key)` reject on errors. Clients that repeat commands by themselves
/// may count twice what was counted already when the connection broke, so a count may be above what they were told.
async function goOn(name, { write, count, read, look, kill }) {
  const acknowledged = new Map();
  const unknown = new Map();
  let counted = 0;
  let value = 0;
  let killedAt = 0;
  for (const begin = Date.now(); value < KILL_AT + WRITES_AFTER_KILL;) {
    if (Date.now() - begin > GIVE_UP_MS) throw new Error('does not go on');
    if (value === KILL_AT && !killedAt) {
      killedAt = Date.now();
      kill();
    }
    const key = `${name}:${value % 40}`;
    try {
      await write(key, String(value));
      acknowledged.set(key, value);
      unknown.set(key, new Set());
      ++value;
      await count(`${name}:count`);
      ++counted;
      await read(key);
    } catch {
      if (!unknown.has(key)) unknown.set(key, new Set());
      unknown.get(key).add(value);
      await delay(10);
    }
  }
  for (const [key, last] of acknowledged) {
    const shown = Number(await look(key));
    assert.ok(shown === last || unknown.get(key).has(shown), `${key}: ${last} was acknowledged, ${shown} is there`);
  }
  const total = Number(await look(`${name}:count`));
  assert.ok(total >= counted, `${counted} counts were acknowledged, ${total} are there`);
}

module.exports = { assert, check, finish, nodes, delay, refused, eventually, goOn, PORTS, PASSWORD };
