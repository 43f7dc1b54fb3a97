#!/usr/bin/python3
"""Runs the same random commands against redis-server and against a cluster of ours, and compares replies and contents.

    compat/differential/run [--commands N] [--seed S] [--verbose]

The cluster's ports are in COMPAT_PORTS (compat/frame/cluster.py); each batch of commands goes through another node. What
docs/differences.md says is different is made equal before it is compared: the order of sets and hashes, choices by
chance, cursors, and the milliseconds of ends. Prints its seed; the same seed gives the same commands.
"""
import argparse
import os
import random
import shlex
import subprocess
import sys
import tempfile
import time

import redis

from generator import Generator

COMMANDS_QUICK, COMMANDS_LONG = 6_000, 60_000
CONTENTS_EVERY = 500
REPORTED_MAX = 15
END_SLACK_MS = 30_000
UNORDERED = {"HKEYS", "HVALS", "SMEMBERS", "SUNION", "SINTER", "SDIFF", "KEYS"}
ENDS = {"TTL": 1000, "EXPIRETIME": 1000, "PTTL": 1, "PEXPIRETIME": 1}


class Server:
    """One connection that speaks RESP2 and gives replies as they come: bytes, int, list, None, or an error."""

    def __init__(self, **where):
        kind = redis.connection.UnixDomainSocketConnection if "path" in where else redis.connection.Connection
        self.connection = kind(socket_timeout=60, **where)
        self.connection.connect()

    def run(self, *args):
        return self.run_all([args])[0]

    def run_all(self, commands):
        self.connection.send_packed_command(
            self.connection.pack_commands([[a.encode("latin-1") if isinstance(a, str) else a for a in c] for c in commands]))
        return [self.read() for _ in commands]

    def read(self):
        try:
            return self.connection.read_response(disable_decoding=True)
        except redis.exceptions.ResponseError as error:
            return error


def is_geo_without_order(command):
    """A radius's places stand in no promised order unless one is asked for (docs/differences.md)."""
    words = {str(word).upper() for word in command}
    return command[0] in ("GEORADIUS", "GEOSEARCH") and not words & {"ASC", "DESC", "COUNT"}


def pairs(flat):
    return sorted(zip(flat[0::2], flat[1::2]))


def same(left, right):
    if isinstance(left, Exception) or isinstance(right, Exception):
        return type(left) is type(right) and str(left) == str(right)
    return without_minus_zero(left) == without_minus_zero(right)


def without_minus_zero(reply):
    """A score of -0 is shown as 0 (docs/differences.md)."""
    if isinstance(reply, (list, tuple)):
        return [without_minus_zero(element) for element in reply]
    return b"0" if reply == b"-0" else reply


class Comparison:
    def __init__(self, theirs, ours, seed, verbose):
        self.theirs, self.ours = theirs, ours
        self.random = random.Random(seed)
        self.generator = Generator(self.random, int(time.time()))
        self.verbose = verbose
        self.done = 0
        self.differences = []
        self.special = {
            "SPOP": self.pop_by_chance, "SRANDMEMBER": self.chosen, "HRANDFIELD": self.chosen, "ZRANDMEMBER": self.chosen,
            "RANDOMKEY": self.random_key, "SCAN": self.scan, "HSCAN": self.scan, "SSCAN": self.scan, "ZSCAN": self.scan,
            "X-CROSS": self.cross,
        }

    def run(self, commands):
        while self.done < commands and len(self.differences) < REPORTED_MAX:
            batch, special = [], None
            for _ in range(self.random.randint(1, 40)):
                command = self.generator.next()
                if command[0] in self.special:
                    special = command
                    break
                batch.append(command)
            node = self.random.choice(self.ours)
            if batch:
                self.compare_all(batch, self.theirs.run_all(batch), node.run_all(batch))
            if special is not None:
                self.special[special[0]](node, special)
                self.done += 1
            if self.done // CONTENTS_EVERY != (self.done - len(batch) - (special is not None)) // CONTENTS_EVERY:
                self.compare_contents(node)

    def compare_all(self, batch, theirs, ours):
        for command, their, our in zip(batch, theirs, ours):
            self.done += 1
            if self.verbose:
                print("#", shlex.join(command), their, our)
            if not self.agree(command, their, our):
                self.note(command, their, our)

    def agree(self, command, their, our):
        name = command[0]
        if same(their, our):
            return True
        if (name in UNORDERED or is_geo_without_order(command)) and isinstance(their, list) and isinstance(our, list):
            return sorted(their) == sorted(our)
        if name == "HGETALL" and isinstance(their, list) and isinstance(our, list):
            return pairs(their) == pairs(our)
        if name in ENDS and isinstance(their, int) and isinstance(our, int):
            return min(their, our) > 0 and abs(their - our) * ENDS[name] <= END_SLACK_MS
        return False

    def note(self, command, their, our):
        self.differences.append((self.done, command, their, our))
        print(f"# command {self.done}: {shlex.join(repr(a)[1:-1] for a in command)}\n#   redis: {their!r}\n#   ours:  {our!r}")
        for key in {a for a in command[1:] if self.theirs.run("EXISTS", a) != self.ours[0].run("EXISTS", a)}:
            self.theirs.run("DEL", key)
            self.ours[0].run("DEL", key)

    # ---- choices by chance ----

    def pop_by_chance(self, node, command):
        """What ours gives, the other must be able to give: it is removed there by name."""
        present = self.theirs.run("SMEMBERS", command[1])
        our = node.run(*command)
        if isinstance(our, Exception) or isinstance(present, Exception) or not present or our is None or our == []:
            their = self.theirs.run(*command)
            if not same(their, our):
                self.note(command, their, our)
            return
        popped = our if isinstance(our, list) else [our]
        count = min(int(command[2]), len(present)) if len(command) > 2 else 1
        if len(popped) != count or self.theirs.run("SREM", command[1], *popped) != count:
            self.note(command, present, our)

    def chosen(self, node, command):
        """As many as the other gives, all of them members, and different ones if the count is not negative."""
        their, our = self.theirs.run(*command), node.run(*command)
        if not isinstance(their, (list, bytes)) or type(their) is not type(our):
            if not same(their, our):
                self.note(command, their, our)
            return
        whole = {"SRANDMEMBER": ["SMEMBERS"], "HRANDFIELD": ["HGETALL"], "ZRANDMEMBER": ["ZRANGE", command[1], "0", "-1", "WITHSCORES"]}
        whole = whole[command[0]]
        flat = self.theirs.run(*(whole if len(whole) > 1 else [whole[0], command[1]]))
        known = set(flat) if command[0] == "SRANDMEMBER" else set(flat[0::2])
        known_pairs = set(pairs(flat)) if command[0] != "SRANDMEMBER" else set()
        given = our if isinstance(our, list) else [our]
        if len(command) > 3:
            right = set(pairs(given)) <= known_pairs
            given = given[0::2]
        else:
            right = set(given) <= known
        distinct = len(command) > 2 and int(command[2]) >= 0
        if not right or (isinstance(their, list) and len(their) != len(our)) or (distinct and len(set(given)) != len(given)):
            self.note(command, their, our)

    def random_key(self, node, command):
        our = node.run(*command)
        if isinstance(our, Exception):
            their = self.theirs.run(*command)
            if not same(their, our):
                self.note(command, their, our)
        elif (our is None) != (self.theirs.run("DBSIZE") == 0) or (our is not None and self.theirs.run("EXISTS", our) != 1):
            self.note(command, self.theirs.run("RANDOMKEY"), our)

    # ---- walks ----

    def scan(self, node, command):
        # Any other cursor is the server's own, and what a made-up one shows is nobody's promise.
        at = 1 if command[0] == "SCAN" else 2
        if len(command) > at and command[at] != "0" and command[at].lstrip("-").isdigit():
            return
        their, our = (self.walk(server, command) for server in (self.theirs, node))
        if not same(their, our):
            self.note(command, their, our)

    def walk(self, server, command):
        """All that a walk shows, sorted; an error as it is."""
        at = 1 if command[0] == "SCAN" else 2
        if len(command) <= at:
            return server.run(*command)
        shown, cursor = [], command[at]
        for _ in range(10_000):
            reply = server.run(*command[:at], cursor, *command[at + 1:])
            if isinstance(reply, Exception):
                return reply
            cursor = reply[0]
            shown += reply[1] if command[0] in ("SCAN", "SSCAN") else pairs(reply[1])
            if cursor == b"0":
                return sorted(set(shown))
        return "no end"

    # ---- contents ----

    def cross(self, node, command):
        """A key moves by DUMP and RESTORE, both ways."""
        dumps = [server.run("DUMP", command[1]) for server in (self.theirs, node)]
        if any(not isinstance(dump, bytes) for dump in dumps):
            if dumps[0] is not None or dumps[1] is not None:
                self.note(command, *dumps)
            return
        for server, dump in ((self.theirs, dumps[1]), (node, dumps[0])):
            reply = server.run("RESTORE", command[1], "0", dump, "REPLACE")
            if reply != b"OK":
                self.note(command, "RESTORE", reply)

    def compare_contents(self, node):
        for db in ("1", "0"):
            for server in (self.theirs, node):
                server.run("SELECT", db)
            their_keys, our_keys = (set(server.run("KEYS", "*")) for server in (self.theirs, node))
            if their_keys != our_keys:
                self.note(["KEYS", "*"], sorted(their_keys - our_keys), sorted(our_keys - their_keys))
            for key in sorted(their_keys & our_keys):
                their, our = (without_minus_zero(self.content(server, key)) for server in (self.theirs, node))
                if their != our:
                    self.note(["(content)", key.decode("latin-1"), db], their, our)

    @staticmethod
    def content(server, key):
        kind = server.run("TYPE", key)
        ends = server.run("TTL", key) >= 0
        if kind == b"string" and key.startswith(b"p"):
            return kind, ends, server.run("PFCOUNT", key)
        read = {b"string": ["GET", key], b"hash": ["HGETALL", key], b"list": ["LRANGE", key, "0", "-1"],
                b"set": ["SMEMBERS", key], b"zset": ["ZRANGE", key, "0", "-1", "WITHSCORES"]}
        value = server.run(*read[kind])
        if kind == b"hash":
            value = pairs(value)
        return kind, ends, sorted(value) if kind == b"set" else value


def main():
    parser = argparse.ArgumentParser()
    quick = os.environ.get("COMPAT_QUICK") == "1"
    parser.add_argument("--commands", type=int, default=COMMANDS_QUICK if quick else COMMANDS_LONG)
    parser.add_argument("--seed", type=int, default=int(os.environ.get("ORRERY_TEST_SEED", 1 if quick else time.time_ns() % 1_000_000)))
    parser.add_argument("--verbose", action="store_true")
    arguments = parser.parse_args()
    print(f"# seed {arguments.seed}, {arguments.commands} commands", flush=True)
    with tempfile.TemporaryDirectory() as directory:
        path = os.path.join(directory, "redis.sock")
        server = subprocess.Popen(["redis-server", "--port", "0", "--unixsocket", path, "--save", "", "--dir", directory],
                                  stdout=subprocess.DEVNULL)
        try:
            while not os.path.exists(path):
                time.sleep(0.01)
            ours = [Server(host="127.0.0.1", port=int(port)) for port in os.environ["COMPAT_PORTS"].split()]
            comparison = Comparison(Server(path=path), ours, arguments.seed, arguments.verbose)
            comparison.run(arguments.commands)
        finally:
            server.terminate()
            server.wait()
    failed = bool(comparison.differences)
    print(f"{'not ' if failed else ''}ok 1 - {comparison.done} random commands are answered as redis-server answers them")
    print("1..1")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
