#!/usr/bin/env python3
"""Writes the replies of a real redis-server into transcripts (see transcript.h).

    tests/commands/record_transcripts.py [transcripts/strings.txt ...]

Starts redis-server (7.0) for itself on a socket in a temporary directory, empties it before each file, runs the file's
commands and writes every reply below its command, in place of the one that stood there. New commands are written into a
transcript as "> ..." lines alone and recorded once; from then on the tests need no Redis. In lookups.txt it is the numbers
before the commands that are written.
"""

import pathlib
import re
import shlex
import socket
import subprocess
import sys
import tempfile
import time

ESCAPES = {"n": b"\n", "r": b"\r", "t": b"\t", "b": b"\b", "a": b"\a"}


def split_arguments(line):
    """Arguments of a line in the quoting of redis-cli, as bytes."""
    args, i = [], 0
    while i < len(line):
        if line[i] == " ":
            i += 1
            continue
        arg, quote = b"", line[i] if line[i] in "\"'" else None
        i += 1 if quote else 0
        while i < len(line) and (line[i] != quote if quote else line[i] != " "):
            if quote == '"' and line[i] == "\\" and line[i + 1] == "x":
                arg += bytes([int(line[i + 2 : i + 4], 16)])
                i += 4
            elif quote == '"' and line[i] == "\\":
                arg += ESCAPES.get(line[i + 1], line[i + 1].encode())
                i += 2
            else:
                arg += line[i].encode()
                i += 1
        i += 1
        args.append(arg)
    return args


def quoted(data):
    text = ""
    for byte in data:
        char = chr(byte)
        if char in '"\\':
            text += "\\" + char
        else:
            text += char if 0x20 <= byte < 0x7F else "\\x%02x" % byte
    return '"' + text + '"'


class Redis:
    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(path)
        self.file = self.socket.makefile("rb")

    def run(self, args):
        request = b"*%d\r\n" % len(args)
        for arg in args:
            request += b"$%d\r\n%s\r\n" % (len(arg), arg)
        self.socket.sendall(request)
        return self.read()

    def read(self):
        line = self.file.readline()[:-2]
        kind, rest = chr(line[0]), line[1:].decode("latin-1")
        if kind in "+-:,#":
            return kind + rest
        if kind == "_":
            return "(nil)"
        if kind in "$=":
            return "(nil)" if rest == "-1" else quoted(self.file.read(int(rest) + 2)[:-2])
        if kind in "*~>%":
            if rest == "-1":
                return "(nil array)"
            count = int(rest) * (2 if kind == "%" else 1)
            body = " ".join(self.read() for _ in range(count))
            return "{" + body + "}" if kind == "%" else "[" + body + "]"
        raise ValueError("reply " + repr(line))


def record(redis, path):
    redis.run([b"SELECT", b"0"])
    redis.run([b"HELLO", b"2"])
    redis.run([b"FLUSHALL"])
    written = []
    for line in path.read_text().splitlines():
        if line.startswith("> "):
            written += [line, redis.run(split_arguments(line[2:]))]
        elif line.startswith("! advance "):
            written.append(line)
            time.sleep(int(line.split()[2]) / 1000)
        elif line.startswith("! resp "):
            written.append(line)
            redis.run([b"HELLO", line.split()[2].encode()])
        elif line == "" or line.startswith("# "):
            written.append(line)
    path.write_text("\n".join(written) + "\n")
    print(shlex.quote(str(path)))


def keyspace_counts(redis):
    info = redis.run([b"INFO", b"stats"])
    return [int(re.search(name + r":(\d+)", info)[1]) for name in ("keyspace_hits", "keyspace_misses")]


def record_lookups(redis, path):
    setup, written = [], []
    for line in path.read_text().splitlines():
        if line.startswith("! "):
            setup.append(split_arguments(line[2:]))
        elif " > " in line and not line.startswith("#"):
            command = line.split(" > ", 1)[1]
            for args in [[b"FLUSHALL"]] + setup:
                redis.run(args)
            before = keyspace_counts(redis)
            redis.run(split_arguments(command))
            after = keyspace_counts(redis)
            line = "%d %d > %s" % (after[0] - before[0], after[1] - before[1], command)
        written.append(line)
    path.write_text("\n".join(written) + "\n")
    print(shlex.quote(str(path)))


def main():
    folder = pathlib.Path(__file__).parent / "transcripts"
    lookups = pathlib.Path(__file__).parent / "lookups.txt"
    paths = [pathlib.Path(arg) for arg in sys.argv[1:]] or sorted(folder.glob("*.txt")) + [lookups]
    with tempfile.TemporaryDirectory() as directory:
        path = directory + "/redis.sock"
        server = subprocess.Popen(
            ["redis-server", "--port", "0", "--unixsocket", path, "--save", "", "--dir", directory],
            stdout=subprocess.DEVNULL,
        )
        try:
            while not pathlib.Path(path).exists():
                time.sleep(0.01)
            redis = Redis(path)
            for transcript in paths:
                (record_lookups if transcript.name == lookups.name else record)(redis, transcript)
        finally:
            server.terminate()
            server.wait()


if __name__ == "__main__":
    main()
