#!/usr/bin/env python3
"""Runs a cluster of real nodes on this machine for the time of one command.

    compat/frame/cluster.py [--nodes 3] [--set "name value"]... -- command [word...]

The command finds in its environment:

    COMPAT_PORTS     the nodes' client ports on 127.0.0.1, separated by blanks
    COMPAT_CLUSTER   a program: "$COMPAT_CLUSTER kill 1" ends node 1 with SIGKILL, "stop 1" with SIGTERM, "start 1"
                     starts it again with its data, "wait" returns when all nodes that run serve, "agree" when besides
                     no hints are left and all nodes have the same RING DIGEST, which nodes have that hold all slots

The nodes end with the command, whose exit status is this program's. Data and logs go with them unless the command
failed: then they stay, and where is said. Python programs import Cluster instead.

Which program the nodes run is ORRERY_SERVER's to say; without it, build/release/src/server/orrery-server.
"""
import argparse
import contextlib
import ctypes
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SERVER = os.path.join(ROOT, "build/release/src/server/orrery-server")
PEER_PORT_OFFSET = 10000
START_SECONDS = 60
# Many things may run beside the nodes. What dies is noticed by its closed connections all the same.
PATIENCE = ["--failure-detection-timeout", "5000", "--request-timeout", "20000"]
STOP_SECONDS = 30


def is_free(port):
    with socket.socket() as one:
        # As servers bind, so that a connection of theirs that still times out is not in the way.
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            one.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def free_ports(count):
    """Ports that are free now, and their peer ports. Both lie below those that the system gives out by itself."""
    first, size = 11000, 10000
    begin = os.getpid() * 89 % size
    ports = []
    for step in range(size):
        port = first + (begin + step) % size
        if is_free(port) and is_free(port + PEER_PORT_OFFSET):
            ports.append(port)
        if len(ports) == count:
            return ports
    raise RuntimeError("no free ports")


def ask(port, line, seconds=5.0, password=""):
    """The bulk reply to an inline command, as text; empty if there is none."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=seconds) as connection:
            stream = connection.makefile("rb")
            if password:
                connection.sendall(b"AUTH " + password.encode() + b"\r\n")
                stream.readline()
            connection.sendall(line.encode() + b"\r\n")
            head = stream.readline()
            if not head.startswith(b"$"):
                return ""
            return stream.read(int(head[1:])).decode()
    except (OSError, ValueError):
        return ""


def runs(pid):
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def end_with_parent(how):
    """For preexec_fn: the child gets this signal when its parent ends in whatever way."""
    pr_set_pdeathsig = 1
    libc = ctypes.CDLL(None)
    return lambda: libc.prctl(pr_set_pdeathsig, how)


def wait_until(condition, seconds):
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


class Cluster:
    """Nodes as child processes, each with a folder of its own below `root`, where their list stands, too: another
    process opens the same cluster by its folder."""

    def __init__(self, root):
        with open(os.path.join(root, "cluster.json")) as file:
            facts = json.load(file)
        self.root, self.ports, self.settings = root, facts["ports"], facts["settings"]
        self._children = {}

    @classmethod
    def create(cls, nodes=3, settings=()):
        """A new cluster, all of whose nodes serve. `settings` are words of the command line."""
        root = tempfile.mkdtemp(prefix="orrery-compat-")
        with open(os.path.join(root, "cluster.json"), "w") as file:
            json.dump({"ports": free_ports(nodes), "settings": list(settings)}, file)
        cluster = cls(root)
        for node in range(nodes):
            cluster.start(node)
        if not cluster.wait():
            cluster.close(keep=True)
            raise RuntimeError(f"the nodes do not serve; see {root}")
        return cluster

    def ask(self, node, line):
        name = "--requirepass"
        password = self.settings[self.settings.index(name) + 1] if name in self.settings else ""
        return ask(self.ports[node], line, password=password)

    def dir(self, node):
        return os.path.join(self.root, str(self.ports[node]))

    def log(self, node):
        return os.path.join(self.dir(node), "log")

    def start(self, node, outlives_us=False):
        os.makedirs(self.dir(node), exist_ok=True)
        words = [os.environ.get("ORRERY_SERVER", SERVER), "--bind", "127.0.0.1", "--port", str(self.ports[node]),
                 "--dir", self.dir(node), "--logfile", self.log(node), "--threads", "1",
                 "--enable-debug-command", "yes", "--cluster-name", os.path.basename(self.root)]
        words += PATIENCE + self.settings + ["--seeds"] + [f"127.0.0.1:{port}" for port in self.ports]
        with open(os.path.join(self.dir(node), "out"), "ab") as out:
            child = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                                     preexec_fn=None if outlives_us else end_with_parent(signal.SIGKILL))
        self._children[node] = child
        with open(os.path.join(self.dir(node), "pid"), "w") as file:
            file.write(str(child.pid))

    def pid(self, node):
        """0 if the node does not run."""
        try:
            with open(os.path.join(self.dir(node), "pid")) as file:
                pid = int(file.read())
        except (OSError, ValueError):
            return 0
        return pid if runs(pid) else 0

    def end(self, node, how=signal.SIGTERM):
        """Returns when the process is gone."""
        pid = self.pid(node)
        if pid == 0:
            return
        os.kill(pid, how)
        if not wait_until(lambda: not runs(pid), STOP_SECONDS):
            os.kill(pid, signal.SIGKILL)
        if node in self._children:
            self._children.pop(node).wait()

    def wait(self, seconds=START_SECONDS):
        """Until every node that runs serves and knows all others that run; False if that takes too long."""

        def serve():
            alive = [node for node in range(len(self.ports)) if self.pid(node) != 0]
            for node in alive:
                if "cluster_state:ok" not in self.ask(node, "CLUSTER INFO"):
                    return False
                if f"members_alive:{len(alive)}\r\n" not in self.ask(node, "INFO dynamo"):
                    return False
            return True

        return wait_until(serve, seconds)

    def agree(self, seconds=START_SECONDS):
        """Until the nodes, which must all run and hold all slots, have the same bytes and no hints."""

        def same():
            nodes = range(len(self.ports))
            if any("\r\nhints:0\r\n" not in self.ask(node, "INFO dynamo") for node in nodes):
                return False
            digests = {self.ask(node, "RING DIGEST") for node in nodes}
            return len(digests) == 1 and "" not in digests

        return wait_until(same, seconds)

    def close(self, keep=False):
        for node in range(len(self.ports)):
            self.end(node)
        if not keep:
            shutil.rmtree(self.root, ignore_errors=True)


@contextlib.contextmanager
def running(nodes=3, settings=()):
    """A cluster for the length of a with block; its data stays if the block raises."""
    cluster = Cluster.create(nodes, settings)
    try:
        yield cluster
    except BaseException:
        cluster.close(keep=True)
        print(f"# data and logs of the nodes: {cluster.root}", flush=True)
        raise
    cluster.close()


def control(words):
    """What COMPAT_CLUSTER does inside the command."""
    cluster = Cluster(os.environ["COMPAT_CLUSTER_ROOT"])
    action, nodes = words[0], [int(word) for word in words[1:]]
    if action in ("wait", "agree"):
        return 0 if getattr(cluster, action)() else 1
    for node in nodes:
        if action == "start":
            cluster.start(node, outlives_us=True)
        else:
            cluster.end(node, signal.SIGTERM if action == "stop" else signal.SIGKILL)
    return 0


def run_command(arguments):
    cluster = Cluster.create(arguments.nodes, [word for pair in arguments.set for word in
                                               ("--" + pair.split()[0], *pair.split()[1:])])
    environment = dict(os.environ, COMPAT_PORTS=" ".join(map(str, cluster.ports)), COMPAT_CLUSTER_ROOT=cluster.root,
                       COMPAT_CLUSTER=os.path.abspath(__file__))
    status = 1
    try:
        status = subprocess.run(arguments.command, env=environment, preexec_fn=end_with_parent(signal.SIGTERM)).returncode
    finally:
        cluster.close(keep=status != 0)
        if status != 0:
            print(f"# data and logs of the nodes: {cluster.root}", flush=True)
    return status


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    if len(sys.argv) > 1 and sys.argv[1] in ("start", "stop", "kill", "wait", "agree"):
        return control(sys.argv[1:])
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nodes", type=int, default=3)
    parser.add_argument("--set", action="append", default=[], help='a setting of all nodes: "name value"')
    parser.add_argument("command", nargs=argparse.REMAINDER)
    arguments = parser.parse_args()
    if arguments.command[:1] == ["--"]:
        del arguments.command[0]
    if not arguments.command:
        parser.error("no command")
    return run_command(arguments)


if __name__ == "__main__":
    sys.exit(main())
