<?php
// phpredis, from Debian: Redis through any node, and RedisCluster.

$ports = array_map('intval', explode(' ', getenv('COMPAT_PORTS')));
const PASSWORD = 'sesame';
const KILL_AT = 200; // writes
const WRITES_AFTER_KILL = 300;
const GIVE_UP_SECONDS = 60;
$verdicts = [];

set_error_handler(function (int $level, string $message) {
    if (error_reporting() & $level) throw new ErrorException($message);
    return true;
});

function check(string $name, callable $body, string $skip = ''): void
{
    global $verdicts;
    $verdict = 'ok';
    try {
        if ($skip === '') $body();
    } catch (Throwable $error) {
        $verdict = 'not ok';
        $text = get_class($error) . ': ' . $error->getMessage() . ' at line ' . $error->getLine();
        echo '# ', substr(preg_replace('/\s+/', ' ', $text), 0, 600), "\n";
    }
    $verdicts[] = $verdict;
    echo $verdict, ' ', count($verdicts), " - $name", $skip === '' ? '' : " # SKIP $skip", "\n";
}

function equal($got, $wanted): void
{
    if ($got !== $wanted) {
        throw new Exception(substr('got ' . var_export($got, true) . ', not ' . var_export($wanted, true), 0, 400));
    }
}

/** Errors of commands are false and a text in this client, those of connections exceptions. */
function refused($client, callable $body, string $words): void
{
    $client->clearLastError();
    try {
        $result = $body();
    } catch (RedisException $error) {
        if (str_contains($error->getMessage(), $words)) return;
        throw $error;
    }
    equal($result, false);
    if (!str_contains((string)$client->getLastError(), $words)) {
        throw new Exception("got {$client->getLastError()}, not $words");
    }
}

function nodes(string $action, ...$nodes): void
{
    passthru(getenv('COMPAT_CLUSTER') . " $action " . implode(' ', $nodes), $status);
    equal($status, 0);
}

function plain(?int $port = null, $password = PASSWORD): Redis
{
    global $ports;
    $client = new Redis();
    $client->connect('127.0.0.1', $port ?? $ports[0], 10, null, 0, 30);
    if ($password !== null) $client->auth($password);
    return $client;
}

function clustered(): RedisCluster
{
    global $ports;
    $seeds = array_map(fn ($port) => "127.0.0.1:$port", $ports);
    return new RedisCluster(null, $seeds, 10, 30, false, PASSWORD);
}

function connects(Redis $c): void
{
    equal($c->ping(), true);
    equal($c->echo('hello'), 'hello');
}

function auth(): void
{
    $nobody = plain(null, null);
    refused($nobody, fn () => $nobody->get('k'), 'NOAUTH');
    refused($nobody, fn () => $nobody->auth('wrong'), 'WRONGPASS');
    equal($nobody->auth(['default', PASSWORD]), true);
    equal($nobody->get('none'), false);
}

function select(Redis $c): void
{
    $other = plain();
    equal($other->select(3), true);
    $other->set('where', 'three');
    $c->del('where');
    equal([$c->get('where'), $other->get('where')], [false, 'three']);
}

function setname(): void
{
    $named = plain();
    equal($named->client('setname', 'tester'), true);
    equal($named->client('getname'), 'tester');
    equal(in_array('tester', array_column($named->client('list'), 'name')), true);
}

function pipeline(Redis $c): void
{
    $keys = array_map(fn ($i) => "pipe:$i", range(0, 999));
    $pipe = $c->pipeline();
    foreach ($keys as $i => $key) $pipe->set($key, $i)->incr('pipe:count');
    $pipe->lPush('pipe:count', 'no list');
    $replies = $pipe->exec();
    equal(count($replies), 2001);
    equal([$replies[1998], $replies[1999], $replies[2000]], [true, 1000, false]);
    equal($c->mGet($keys), array_map('strval', range(0, 999)));
}

function strings($c): void
{
    equal($c->set('{s}a', 'hello', ['nx', 'ex' => 100]), true);
    equal($c->set('{s}a', 'again', ['nx']), false);
    equal([$c->append('{s}a', ' world'), $c->getRange('{s}a', 0, 4)], [11, 'hello']);
    equal($c->mSet(['{s}b' => 1, '{s}c' => 2]), true);
    equal($c->mGet(['{s}b', '{s}c', '{s}none']), ['1', '2', false]);
    equal([$c->incrBy('{s}b', 41), $c->incrByFloat('{s}c', 0.5)], [42, 2.5]);
    $all = implode('', array_map('chr', range(0, 255)));
    $c->set("binary\r\n\0", $all);
    equal($c->get("binary\r\n\0"), $all);
}

function bits($c): void
{
    foreach ([1, 9, 100] as $at) equal($c->setBit('bits', $at, 1), 0);
    equal([$c->bitCount('bits'), $c->bitpos('bits', 1), $c->getBit('bits', 100)], [3, 1, 1]);
}

function hashes($c): void
{
    $fields = [];
    foreach (range(0, 99) as $i) $fields["f$i"] = (string)$i;
    equal($c->hMSet('hash', $fields), true);
    $shown = $c->hGetAll('hash');
    ksort($shown);
    ksort($fields);
    equal($shown, $fields);
    equal([$c->hIncrBy('hash', 'f1', 9), $c->hDel('hash', 'f2'), $c->hLen('hash')], [10, 1, 99]);
}

function lists($c): void
{
    equal($c->rPush('list', 0, 1, 2, 3, 4), 5);
    equal([$c->lPop('list'), $c->rPop('list')], ['0', '4']);
    equal([$c->lInsert('list', Redis::BEFORE, '3', 'x'), $c->lRem('list', '2', 1)], [4, 1]);
    equal($c->lRange('list', 0, -1), ['1', 'x', '3']);
}

function sets($c): void
{
    equal([$c->sAdd('{x}a', 1, 2, 3), $c->sAdd('{x}b', 2, 3, 4)], [3, 3]);
    $both = $c->sInter('{x}a', '{x}b');
    sort($both);
    equal($both, ['2', '3']);
    equal([$c->sDiffStore('{x}c', '{x}a', '{x}b'), $c->sMembers('{x}c')], [1, ['1']]);
}

function zsets($c): void
{
    equal($c->zAdd('zset', 1, 'a', 2, 'b', 3, 'c'), 3);
    equal([$c->zIncrBy('zset', 20.5, 'a'), $c->zRank('zset', 'a')], [21.5, 2]);
    equal($c->zRange('zset', 0, 0, true), ['b' => 2.0]);
    equal([$c->zPopMin('zset'), $c->zScore('zset', 'c')], [['b' => 2.0], 3.0]);
}

function hyperloglog($c): void
{
    $c->pfAdd('{h}a', range(0, 999));
    $c->pfAdd('{h}b', range(500, 1499));
    $c->pfMerge('{h}c', ['{h}a', '{h}b']);
    equal(abs($c->pfCount('{h}c') - 1500) < 60, true);
}

function geo($c): void
{
    equal($c->geoAdd('geo', 13.361389, 38.115556, 'Palermo', 15.087269, 37.502669, 'Catania'), 2);
    equal(round($c->geoDist('geo', 'Palermo', 'Catania', 'km'), 1), 166.3);
    equal($c->geoRadius('geo', 15, 37, 100, 'km'), ['Catania']);
}

function scan(Redis $c): void
{
    $keys = array_map(fn ($i) => "scan:$i", range(0, 499));
    $c->mSet(array_fill_keys($keys, 'v'));
    $c->setOption(Redis::OPT_SCAN, Redis::SCAN_RETRY);
    $found = [];
    for ($cursor = null; ($part = $c->scan($cursor, 'scan:*', 50)) !== false;) array_push($found, ...$part);
    sort($found);
    sort($keys);
    equal($found, $keys);
    $fields = [];
    for ($cursor = null; ($part = $c->hScan('hash', $cursor, null, 7)) !== false;) $fields += $part;
    equal(count($fields), 99);
    $members = [];
    for ($cursor = null; ($part = $c->sScan('{x}b', $cursor)) !== false;) array_push($members, ...$part);
    sort($members);
    equal($members, ['2', '3', '4']);
    $scores = [];
    for ($cursor = null; ($part = $c->zScan('zset', $cursor)) !== false;) $scores += $part;
    equal(count($scores), 2);
}

function expiry($c): void
{
    $c->set('short', 'v', ['px' => 150]);
    for ($end = microtime(true) + 10; $c->get('short') !== false && microtime(true) < $end;) usleep(20000);
    equal([$c->get('short'), $c->ttl('short')], [false, -2]);
    $c->set('long', 'v');
    equal([$c->expire('long', 1000), $c->ttl('long') > 990, $c->persist('long'), $c->ttl('long')], [true, true, true, -1]);
}

function errors($c): void
{
    $c->set('string', 'v');
    refused($c, fn () => $c->lPush('string', 'x'), 'WRONGTYPE');
    refused($c, fn () => $c->incr('string'), 'not an integer');
    equal($c->get('string'), 'v');
}

function large($c): void
{
    $value = str_repeat('x1y2z', 2 << 20);
    equal($c->set('large', $value), true);
    equal($c->get('large') === $value, true);
    equal($c->del('large'), 1);
}

/** A second process pushes while this one waits. */
function after_a_while(string $act): void
{
    global $ports;
    $script = "usleep(300000); \$c = new Redis(); \$c->connect('127.0.0.1', $ports[1]); \$c->auth('" . PASSWORD . "'); $act";
    proc_open([PHP_BINARY, '-r', $script], [], $pipes);
}

function blocking(Redis $c): void
{
    equal($c->bzPopMin('none', 1), []);
    after_a_while('$c->zAdd("{w}zset", 7, "m");');
    equal($c->bzPopMin(['none', '{w}zset'], 20), ['{w}zset', 'm', '7']);
}

function blocking_lists(Redis $c): void
{
    after_a_while('$c->rPush("{w}list", "x");');
    equal($c->blPop(['none', '{w}list'], 20), ['{w}list', 'x']);
}

/**
 * Writes rising values while a node is killed; $connect makes a client, the next one when the last broke. A client that
 * repeats commands by itself may count twice what was counted already when the connection broke.
 */
function go_on(string $name, callable $connect, int $victim): void
{
    global $ports;
    [$acknowledged, $unknown, $counted, $value, $killed, $c] = [[], [], 0, 0, false, $connect()];
    $done = function ($reply, $c) {
        if ($reply === false) throw new RedisException((string)$c->getLastError());
    };
    for ($end = microtime(true) + GIVE_UP_SECONDS; $value < KILL_AT + WRITES_AFTER_KILL;) {
        if (microtime(true) > $end) throw new Exception('does not go on');
        if ($value === KILL_AT && !$killed) {
            nodes('kill', $victim);
            $killed = true;
        }
        $key = "$name:" . $value % 40;
        try {
            $c ??= $connect();
            $done($c->set($key, $value), $c);
            $acknowledged[$key] = $value;
            $unknown[$key] = [];
            ++$value;
            $done($c->incr("$name:count"), $c);
            ++$counted;
            $done($c->get($key), $c);
        } catch (RedisException | RedisClusterException | ErrorException $error) {
            $unknown[$key][] = $value;
            $c = null;
        }
    }
    $looking = plain($ports[($victim + 1) % count($ports)]);
    foreach ($acknowledged as $key => $last) {
        $shown = (int)$looking->get($key);
        equal($shown === $last || in_array($shown, $unknown[$key]), true);
    }
    equal((int)$looking->get("$name:count") >= $counted, true);
}

function reconnect(): void
{
    global $ports;
    $at = 0;
    $connect = function () use (&$at, $ports) {
        return plain($ports[$at++ % count($ports)]);
    };
    go_on('reconnect', $connect, 0);
    nodes('start', 0);
    nodes('wait');
}

function reconnect_by_itself(): void
{
    global $ports;
    $c = plain($ports[1]);
    $c->set('by-itself', 'v');
    nodes('kill', 1);
    nodes('start', 1);
    nodes('wait');
    equal($c->get('by-itself'), 'v');
}

function cluster_reconnect(): void
{
    go_on('cluster-reconnect', 'clustered', 2);
    nodes('start', 2);
    nodes('wait');
}

function forwarded(): int
{
    global $ports;
    return array_sum(array_map(fn ($port) => (int)plain($port)->info('dynamo')['requests_forwarded'], $ports));
}

/** Every command goes straight to its slot's coordinator: no node forwards any. */
function routing(): void
{
    $c = clustered();
    $before = forwarded();
    foreach (range(0, 299) as $i) equal($c->set("route:$i", $i), true);
    foreach (range(0, 299) as $i) equal($c->get("route:$i"), (string)$i);
    equal(forwarded() - $before, 0);
    $keys = array_map(fn ($i) => "route:$i", range(0, 299));
    equal($c->mGet($keys), array_map('strval', range(0, 299)));
    equal($c->del($keys), 300);
}

function cluster_connects(): void
{
    $c = clustered();
    equal(count($c->_masters()), 3);
    equal($c->ping('k'), true);
}

echo '# phpredis ', phpversion('redis'), ', php ', PHP_VERSION, "\n";
$c = plain();
$types = ['strings', 'bits', 'hashes', 'lists', 'sets', 'zsets', 'hyperloglog', 'geo'];
$others = ['expiry', 'errors', 'large'];
check('connect', fn () => connects($c));
check('auth', 'auth');
check('select', fn () => select($c));
check('setname', 'setname');
foreach (['pipeline', ...$types, 'scan', ...$others, 'blocking'] as $name) check($name, fn () => $name($c));
$blpop = $c->rawCommand('COMMAND', 'INFO', 'BLPOP')[0];
check('blocking lists', fn () => blocking_lists($c), $blpop ? '' : 'the server has no BLPOP yet');
check('reconnect', 'reconnect');
check('reconnect by itself', 'reconnect_by_itself');
check('cluster connect', 'cluster_connects');
check('cluster routing', 'routing');
check('flush', fn () => equal($c->flushAll(), true));
$cluster = clustered();
foreach ([...$types, ...$others] as $name) check("cluster $name", fn () => $name($cluster));
check('cluster reconnect', 'cluster_reconnect');
check('nodes agree', fn () => nodes('agree'));
echo '1..', count($verdicts), "\n";
exit(in_array('not ok', $verdicts) ? 1 : 0);
