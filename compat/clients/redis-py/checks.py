#!/usr/bin/python3
"""redis-py, from Debian: redis.Redis through any node, and redis.RedisCluster."""
import os
import subprocess
import sys
import threading
import time

import redis
from redis.cluster import ClusterNode, RedisCluster

PORTS = [int(port) for port in os.environ["COMPAT_PORTS"].split()]
PASSWORD = "sesame"
AFTER_KILL = 300  # acknowledged writes
GIVE_UP_SECONDS = 60
verdicts = []


def check(name, body, skip=""):
    verdict = "ok"
    try:
        if not skip:
            body()
    except Exception as error:  # whatever a client may throw
        verdict = "not ok"
        print("#", type(error).__name__, str(error).replace("\n", " ")[:600])
    verdicts.append(verdict)
    print(verdict, len(verdicts), "-", name, f"# SKIP {skip}" if skip else "", flush=True)


def equal(got, wanted):
    if got != wanted:
        raise AssertionError(f"got {got!r}, not {wanted!r}"[:400])


def refused(body, words):
    try:
        body()
    except redis.RedisError as error:
        if words not in str(error):
            raise AssertionError(f"got {error}, not {words}") from error
    else:
        raise AssertionError(f"no error, not {words}")


def nodes(*words):
    subprocess.run([os.environ["COMPAT_CLUSTER"], *map(str, words)], check=True)


def plain(port=PORTS[0], **more):
    return redis.Redis(port=port, password=PASSWORD, decode_responses=True, socket_timeout=10, **more)


def clustered():
    return RedisCluster(startup_nodes=[ClusterNode("127.0.0.1", port) for port in PORTS], password=PASSWORD,
                        decode_responses=True, socket_timeout=10, require_full_coverage=True)


def auth():
    refused(lambda: redis.Redis(port=PORTS[0]).get("k"), "Authentication required")
    refused(lambda: redis.Redis(port=PORTS[0], password="wrong").get("k"), "invalid username-password pair")
    equal(redis.Redis(port=PORTS[0], username="default", password=PASSWORD).ping(), True)


def hello():
    connection = plain().connection_pool.get_connection("HELLO")
    connection.send_command("HELLO", "2", "AUTH", "default", PASSWORD, "SETNAME", "hello")
    facts = connection.read_response()
    equal(dict(zip(facts[::2], facts[1::2]))["proto"], 2)


def select(c):
    other = plain(db=3)
    other.set("where", "three")
    c.delete("where")
    equal((c.get("where"), other.get("where")), (None, "three"))


def setname():
    named = plain(client_name="tester")
    equal(named.client_getname(), "tester")
    equal([entry["name"] for entry in named.client_list() if entry["id"] == str(named.client_id())], ["tester"])


def pipeline(c):
    pipe = c.pipeline(transaction=False)
    for number in range(1000):
        pipe.set(f"pipe:{number}", number)
        pipe.incr("pipe:count")
    pipe.lpush("pipe:count", "no list")
    replies = pipe.execute(raise_on_error=False)
    equal(replies[:-1:2], [True] * 1000)
    equal(replies[1:-1:2], list(range(1, 1001)))
    equal(isinstance(replies[-1], redis.ResponseError), True)
    equal(c.mget([f"pipe:{number}" for number in range(1000)]), [str(number) for number in range(1000)])


def strings(c):
    equal(c.set("{s}a", "hello", ex=100, nx=True), True)
    equal(c.set("{s}a", "again", nx=True), None)
    equal((c.append("{s}a", " world"), c.getrange("{s}a", 0, 4), c.strlen("{s}a")), (11, "hello", 11))
    equal(c.mset({"{s}b": "1", "{s}c": "2"}), True)
    equal(c.mget("{s}b", "{s}c", "{s}none"), ["1", "2", None])
    equal((c.incrby("{s}b", 41), c.decr("{s}c"), c.incrbyfloat("{s}c", 0.5)), (42, 1, 1.5))
    equal((c.getdel("{s}b"), c.exists("{s}b")), ("42", 0))
    raw = redis.Redis(port=PORTS[1], password=PASSWORD)
    bytes_of_all = bytes(range(256))
    raw.set("binary\r\n\0", bytes_of_all)
    equal(raw.get("binary\r\n\0"), bytes_of_all)


def bits(c):
    equal([c.setbit("bits", at, 1) for at in (1, 9, 100)], [0, 0, 0])
    equal((c.bitcount("bits"), c.bitpos("bits", 1), c.getbit("bits", 100)), (3, 1, 1))
    equal(c.bitfield("bits").incrby("u8", "#2", 5).get("u8", "#2").execute(), [5, 5])


def hashes(c):
    equal(c.hset("hash", mapping={f"f{i}": i for i in range(100)}), 100)
    equal(c.hgetall("hash"), {f"f{i}": str(i) for i in range(100)})
    equal((c.hincrby("hash", "f1", 9), c.hdel("hash", "f2"), c.hlen("hash")), (10, 1, 99))
    equal((c.hmget("hash", "f1", "f2"), c.hexists("hash", "f3")), (["10", None], True))


def lists(c):
    equal(c.rpush("list", *range(10)), 10)
    equal((c.lpop("list"), c.rpop("list", 2), c.lindex("list", 0)), ("0", ["9", "8"], "1"))
    equal((c.linsert("list", "before", "3", "x"), c.lrem("list", 1, "5")), (8, 1))
    equal(c.lrange("list", 0, -1), ["1", "2", "x", "3", "4", "6", "7"])
    equal((c.lmove("list", "list:other", "LEFT", "RIGHT"), c.lpos("list", "3")), ("1", 2))


def sets(c):
    equal((c.sadd("set:a", *range(10)), c.sadd("set:b", *range(5, 15))), (10, 10))
    equal(c.sinter("set:a", "set:b"), {"5", "6", "7", "8", "9"})
    equal((c.sdiffstore("set:c", "set:a", "set:b"), c.smembers("set:c")), (5, {"0", "1", "2", "3", "4"}))
    equal((c.sismember("set:a", 3), c.smismember("set:a", [3, 33]), c.srem("set:a", 3)), (True, [1, 0], 1))


def zsets(c):
    equal(c.zadd("zset", {f"m{i}": i for i in range(10)}), 10)
    equal((c.zincrby("zset", 20.5, "m3"), c.zrank("zset", "m3"), c.zscore("zset", "m4")), (23.5, 9, 4.0))
    equal(c.zrange("zset", 0, 1, withscores=True), [("m0", 0.0), ("m1", 1.0)])
    equal(c.zrange("zset", "+inf", "(8", byscore=True, desc=True), ["m3", "m9"])
    equal((c.zpopmin("zset", 2), c.zcount("zset", 2, 8)), ([("m0", 0.0), ("m1", 1.0)], 6))
    equal((c.zunionstore("zset:u", ["zset", "set:b"]), c.zcard("zset:u")), (18, 18))


def hyperloglog(c):
    equal((c.pfadd("hll:a", *range(1000)), c.pfadd("hll:b", *range(500, 1500))), (1, 1))
    c.pfmerge("hll", "hll:a", "hll:b")
    equal(abs(c.pfcount("hll") - 1500) < 60, True)


def geo(c):
    equal(c.geoadd("geo", [13.361389, 38.115556, "Palermo", 15.087269, 37.502669, "Catania"]), 2)
    equal(round(c.geodist("geo", "Palermo", "Catania", unit="km"), 1), 166.3)
    equal(c.geosearch("geo", longitude=15, latitude=37, radius=100, unit="km"), ["Catania"])


def scan(c):
    c.mset({f"scan:{i}": i for i in range(500)})
    equal(sorted(c.scan_iter(match="scan:*", count=50)), sorted(f"scan:{i}" for i in range(500)))
    equal(dict(c.hscan_iter("hash", count=7)), c.hgetall("hash"))
    equal(set(c.sscan_iter("set:b", count=3)), c.smembers("set:b"))
    equal(sorted(c.zscan_iter("zset", count=3)), sorted(c.zrange("zset", 0, -1, withscores=True)))


def blocking(c):
    pusher = plain(PORTS[1])
    before = time.monotonic()
    equal(c.bzpopmin("none", timeout=1), None)
    equal(time.monotonic() - before >= 0.9, True)
    later(lambda: pusher.zadd("{w}zset", {"m": 7}))
    equal(c.bzpopmin(["none", "{w}zset"], timeout=20), ("{w}zset", "m", 7.0))


def blocking_lists(c):
    later(lambda: plain(PORTS[1]).rpush("{w}list", "x"))
    equal(c.blpop(["none", "{w}list"], timeout=20), ("{w}list", "x"))


def later(act):
    threading.Timer(0.3, act).start()


def expiry(c):
    c.set("short", "v", px=150)
    equal(c.get("short"), "v")
    deadline = time.monotonic() + 10
    while c.exists("short") and time.monotonic() < deadline:
        time.sleep(0.02)
    equal((c.get("short"), c.ttl("short")), (None, -2))
    c.set("long", "v")
    equal((c.expire("long", 1000), c.ttl("long") > 990, c.persist("long"), c.ttl("long")), (True, True, True, -1))


def errors(c):
    c.set("string", "v")
    refused(lambda: c.lpush("string", "x"), "Operation against a key holding the wrong kind of value")
    refused(lambda: c.incr("string"), "value is not an integer or out of range")
    if isinstance(c, redis.Redis):  # the cluster's client knows all commands by itself
        refused(lambda: c.execute_command("NOSUCH", "x"), "unknown command")
        refused(lambda: c.execute_command("GET"), "wrong number of arguments")
    equal(c.get("string"), "v")


def large(c):
    value = os.urandom(5 << 20).hex()
    equal(c.set("large", value), True)
    equal(plain(PORTS[2]).get("large") == value, True)
    equal(c.hset("large:hash", "f", value), 1)
    equal((c.hget("large:hash", "f") == value, c.delete("large", "large:hash")), (True, 2))


def go_on(name, client_of, kill, repeats=False):
    """Writes rising numbers while a node is killed; checks that what was acknowledged stays. A client that repeats commands
    by itself may count twice what was counted already when the connection broke."""
    acknowledged, unknown, counted, unsure = {}, {}, 0, 0
    target, value, deadline = None, 0, time.monotonic() + GIVE_UP_SECONDS
    while target is None or len(acknowledged) < 40 or value < target:
        if time.monotonic() > deadline:
            raise AssertionError("does not go on")
        if value == 200 and target is None:
            kill()
            target = value + AFTER_KILL
        key = f"{name}:{value % 40}"
        try:
            client = client_of()
            client.set(key, value)
            acknowledged[key] = value
            value += 1
            unknown.setdefault(key, set())
            unsure += 1
            client.incr(f"{name}:count")
            counted, unsure = counted + 1, unsure - 1
            client.get(key)
        except (redis.RedisError, redis.exceptions.RedisClusterException):  # the second is no kind of the first
            unknown.setdefault(key, set()).add(value)
            client_of(broken=True)
    c = plain(PORTS[2])
    for key, last in acknowledged.items():
        shown = int(c.get(key))
        equal(shown == last or shown > last and shown in unknown[key], True)
    shown = int(c.get(f"{name}:count"))
    equal(counted <= shown and (repeats or shown <= counted + unsure), True)


def reconnect():
    """A client with a list of nodes: the next one when its own is gone."""
    state = {"at": 0, "client": plain(PORTS[0])}

    def client_of(broken=False):
        if broken:
            state["at"] = (state["at"] + 1) % len(PORTS)
            state["client"] = plain(PORTS[state["at"]])
        return state["client"]

    go_on("reconnect", client_of, lambda: nodes("kill", 0))
    nodes("start", 0)
    nodes("wait")
    equal(int(plain(PORTS[0]).get("reconnect:count")) > 0, True)


def cluster_reconnect():
    """The client learns the slots anew by itself, but one way fails: this version cannot copy its own settings to connect
    anew to a node that it knows as the first of all and that is dead ("cannot pickle '_thread.lock' object"), whatever
    server it talks to. Its application then makes a new client."""
    state = {"client": clustered()}

    def client_of(broken=False):
        if broken and isinstance(sys.exc_info()[1], redis.exceptions.RedisClusterException):
            state["client"] = clustered()
        return state["client"]

    go_on("cluster-reconnect", client_of, lambda: nodes("kill", 1), repeats=True)
    nodes("start", 1)
    nodes("wait")


def cluster_connect():
    client = clustered()
    equal(sorted(node.port for node in client.get_nodes()), sorted(PORTS))
    equal(client.cluster_info()["cluster_state"], "ok")
    equal(len(client.cluster_slots()) > 3, True)


def forwarded():
    return sum(int(plain(port).info("dynamo")["requests_forwarded"]) for port in PORTS)


def cluster_routing():
    """Every command goes straight to its slot's coordinator: no node forwards any."""
    client = clustered()
    before = forwarded()
    for number in range(300):
        equal(client.set(f"route:{number}", number), True)
    pipe = client.pipeline()
    for number in range(300):
        pipe.get(f"route:{number}")
    equal(pipe.execute(), [str(number) for number in range(300)])
    equal(forwarded() - before, 0)
    equal(client.mset_nonatomic({f"route:{number}": "m" for number in range(50)}) is not None, True)
    equal(client.mget_nonatomic([f"route:{number}" for number in range(50)]), ["m"] * 50)
    equal(client.delete(*[f"route:{number}" for number in range(300)]), 300)


def main():
    print("# redis-py", redis.__version__)
    c = plain()
    check("connect", lambda: equal(c.ping(), True))
    check("auth", auth)
    check("hello", hello)
    check("select", lambda: select(c))
    check("setname", setname)
    types = [pipeline, strings, bits, hashes, lists, sets, zsets, hyperloglog, geo, scan, expiry, errors, large]
    for one in types:
        check(one.__name__, lambda one=one: one(c))
    check("blocking", lambda: blocking(c))
    check("blocking lists", lambda: blocking_lists(c), "" if "blpop" in c.command() else "the server has no BLPOP yet")
    check("reconnect", reconnect)
    check("cluster connect", cluster_connect)
    check("cluster routing", cluster_routing)
    cluster = clustered()
    cluster.flushall(target_nodes=RedisCluster.PRIMARIES)
    for one in (strings, bits, hashes, expiry, errors, large):
        check(f"cluster {one.__name__}", lambda one=one: one(cluster))
    check("cluster reconnect", cluster_reconnect)
    check("nodes agree", lambda: nodes("agree"))
    print(f"1..{len(verdicts)}")
    return 1 if "not ok" in verdicts else 0


if __name__ == "__main__":
    sys.exit(main())
