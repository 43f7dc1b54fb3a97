#!/usr/bin/python3
"""Compares COMMAND INFO and COMMAND DOCS of a node (the first of COMPAT_PORTS) with those of redis-server.

One test for each command and subcommand that redis-server has in the groups that are ours: it is there, and its arity,
flags, keys, categories, tips, arguments and deprecation are the same; or it is one of those that docs/differences.md says
are not there. Texts, `since` and `history` of arguments, and notes are not compared.
"""
import os
import subprocess
import sys
import tempfile
import time

import redis

GROUPS = {"string", "bitmap", "generic", "hash", "list", "set", "sorted-set", "hyperloglog", "geo", "connection", "server", "cluster"}
FIELDS = ["name", "arity", "flags", "first key", "last key", "step", "categories", "tips", "key specifications"]
ABSENT = {"migrate", "pfselftest", "swapdb", "bgrewriteaof", "replicaof", "slaveof", "role", "failover", "sync", "psync", "replconf",
          "acl", "module", "monitor"}
# transfer of slots by hand, and Redis's roles and epochs
ABSENT |= {"cluster|" + name for name in (
    "addslots", "addslotsrange", "delslots", "delslotsrange", "flushslots", "setslot", "replicate", "replicas", "slaves", "failover",
    "bumpepoch", "set-config-epoch", "count-failure-reports", "saveconfig", "reset", "forget")}
# Refused, so that it has no options to tell of.
OTHER_ARGUMENTS = {"client|tracking"}


def ask(connection, *args):
    connection.send_command(*args)
    return connection.read_response()


def mapping(flat):
    return dict(zip(flat[0::2], flat[1::2]))


def documentation(connection):
    """By full name, subcommands beside their parents."""
    docs = {name: mapping(fields) for name, fields in mapping(ask(connection, "COMMAND", "DOCS")).items()}
    for fields in list(docs.values()):
        docs.update({name: mapping(sub) for name, sub in mapping(fields.get("subcommands", [])).items()})
    return docs


def without_notes(spec):
    fields = mapping(spec)
    fields.pop("notes", None)
    return fields


def information(connection, name):
    info = ask(connection, "COMMAND", "INFO", name)[0]
    facts = dict(zip(FIELDS, info))
    for field in ("flags", "categories", "tips"):
        facts[field] = sorted(set(facts[field]))
    facts["key specifications"] = [without_notes(spec) for spec in info[8]]
    return facts


def arguments(tree):
    """Without what is text: names of pure tokens, and since when."""
    result = []
    for flat in tree or []:
        fields = mapping(flat)
        for text in ("since", "deprecated_since"):
            fields.pop(text, None)
        if fields["type"] == "pure-token":
            fields.pop("name")
        fields["arguments"] = arguments(fields.get("arguments"))
        result.append(fields)
    return result


def differences(name, theirs, ours, their_docs, our_docs):
    their, our = information(theirs, name), information(ours, name)
    found = [(field, their[field], our[field]) for field in FIELDS if their[field] != our[field]]
    for field in ("since", "group", "doc_flags", "deprecated_since", "replaced_by"):
        if their_docs.get(field) != our_docs.get(field):
            found.append((field, their_docs.get(field), our_docs.get(field)))
    their_arguments, our_arguments = (arguments(docs.get("arguments")) for docs in (their_docs, our_docs))
    if name not in OTHER_ARGUMENTS and their_arguments != our_arguments:
        found.append(("arguments", their_arguments, our_arguments))
    return found


def compare(theirs, ours):
    their_docs, our_docs = documentation(theirs), documentation(ours)
    number = failed = 0
    for name in sorted(name for name, docs in their_docs.items() if docs["group"] in GROUPS):
        number += 1
        if name not in our_docs or name.split("|")[0] in ABSENT:
            absent = name in ABSENT or name.split("|")[0] in ABSENT
            print(f"ok {number} - {name} # SKIP not there, on purpose" if absent else f"not ok {number} - {name} is there")
            failed += not absent
            continue
        found = differences(name, theirs, ours, their_docs[name], our_docs[name])
        for field, their, our in found:
            print(f"# {name}, {field}\n#   redis: {their}\n#   ours:  {our}")
        print(f"{'not ' if found else ''}ok {number} - {name}")
        failed += bool(found)
    print(f"1..{number}")
    return 1 if failed else 0


def main():
    with tempfile.TemporaryDirectory() as directory:
        path = os.path.join(directory, "redis.sock")
        server = subprocess.Popen(["redis-server", "--port", "0", "--unixsocket", path, "--save", "", "--dir", directory],
                                  stdout=subprocess.DEVNULL)
        try:
            while not os.path.exists(path):
                time.sleep(0.01)
            theirs = redis.connection.UnixDomainSocketConnection(path=path, decode_responses=True)
            port = int(os.environ["COMPAT_PORTS"].split()[0])
            ours = redis.connection.Connection(host="127.0.0.1", port=port, decode_responses=True)
            for connection in (theirs, ours):
                connection.connect()
            return compare(theirs, ours)
        finally:
            server.terminate()
            server.wait()


if __name__ == "__main__":
    sys.exit(main())
