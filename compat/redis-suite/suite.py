"""Redis's test suite: what may run, one unit's run, what came of it."""
import os
import re
import shutil
import subprocess

COLOUR = re.compile(r"\x1b\[[0-9;]*m")
LINE = re.compile(r"^\[(ok|err|skip|ignore|exception|timeout)\]: ?(.*)$", re.IGNORECASE)
DONE = re.compile(r"^\[\d+/\d+ done\]")
ELAPSED = re.compile(r" \(\d+ ms\)$")
# The suite's own names for what a server may lack.
TAGS = "-needs:repl -needs:save -needs:config-maxmemory -large-memory"
SILENT_SECONDS = 600  # a test that takes longer has failed, and with it its unit


class DenyList:
    """A file of

        = word: the reason
        unit/type/list | name of a test, or a regular expression of names behind a /, or * for the whole unit

    where lines of tests belong to the reason above them."""

    def __init__(self, path):
        self.reasons = {}  # word -> text
        self.units = {}  # unit -> word, of whole units
        self.entries = {}  # unit -> [(pattern, word)]
        word = None
        with open(path) as file:
            for number, line in enumerate(file, 1):
                line = line.strip()
                if not line or line.startswith("#"):
                    continue
                if line.startswith("= "):
                    word, _, text = line[2:].partition(": ")
                    self.reasons[word] = text
                    continue
                unit, separator, pattern = (part.strip() for part in line.partition(" | "))
                if not separator or word is None:
                    raise ValueError(f"{path}:{number}: {line}")
                if pattern == "*":
                    self.units[unit] = word
                else:
                    self.entries.setdefault(unit, []).append((pattern, word))

    def patterns(self, unit):
        return [pattern for pattern, _ in self.entries.get(unit, [])]

    def word_for(self, unit, test):
        for pattern, word in self.entries.get(unit, []):
            if matches(pattern, test):
                return word
        return None

    def unused(self, unit, skipped):
        """Entries that kept no test from running: they hide nothing and are to be taken out."""
        return [pattern for pattern in self.patterns(unit) if not any(matches(pattern, test) for test in skipped)]


def matches(pattern, test):
    if pattern.startswith("/"):
        return re.search(pattern[1:], test) is not None
    return pattern == test


class UnitResult:
    """What one unit's run printed."""

    def __init__(self):
        self.passed = []
        self.failures = []  # (name, what was said)
        self.denied = []  # names
        self.ignored = []  # what the suite's tags leave out
        self._open = None

    def read(self, line):
        line = COLOUR.sub("", line.rstrip("\n"))
        found = LINE.match(line)
        if line.strip() == "The End" or DONE.match(line):
            self.close()  # the failures are listed once more, later
        if not found:
            if self._open is not None:
                self._open.append(line)
            return
        self.close()
        status, text = found.group(1).lower(), found.group(2)
        if status == "ok":
            self.passed.append(ELAPSED.sub("", text))
        elif status == "skip":
            self.denied.append(text)
        elif status == "ignore":
            self.ignored.append(text)
        else:
            self._open = [text]

    def close(self):
        if self._open is not None:
            name, inside, _ = self._open[0].partition(" in tests/")
            if not inside:
                name = "between the tests: " + name
            self.failures.append((name, "\n".join(self._open)))
            self._open = None

    def to_json(self):
        return {"passed": len(self.passed), "failed": [name for name, _ in self.failures], "denied": len(self.denied),
                "ignored": len(self.ignored)}


def prepare(source):
    """The harness empties functions before each block; a server that has none must not fail for that."""
    path = os.path.join(source, "tests/support/server.tcl")
    with open(path) as file:
        text = file.read()
    wanted = "    catch {r function flush}\n"
    if wanted not in text:
        if "    r function flush\n" not in text:
            raise RuntimeError(f"{path} is not the file that we know")
        with open(path, "w") as file:
            file.write(text.replace("    r function flush\n", wanted))


def run_unit(source, unit, port, patterns, log_path, control_port):
    """One unit against the server at this port. The suite's two halves talk at `control_port`, or one of the 32 above."""
    return run(source, unit, ["--host", "127.0.0.1", "--port", str(port)], patterns, log_path, control_port)


def run_unit_with_own_servers(source, unit, program, patterns, log_path, control_port):
    """One unit that starts its servers itself, `program` as redis-server, at the ports above `control_port`."""
    for name, target in (("redis-server", program), ("redis-cli", shutil.which("redis-cli"))):
        path = os.path.join(source, "src", name)
        if os.path.lexists(path):
            os.remove(path)
        os.symlink(target, path)
    return run(source, unit, ["--clients", "1", "--portcount", "100"], patterns, log_path, control_port)


def run(source, unit, where, patterns, log_path, control_port):
    skip = log_path + ".skip"
    with open(skip, "w") as file:
        file.write("\n".join(patterns))
    words = ["tclsh", "tests/test_helper.tcl", *where, "--single", unit, "--durable", "--tags", TAGS, "--skipfile", skip,
             "--baseport", str(control_port + 32), "--timeout", str(SILENT_SECONDS)]
    result = UnitResult()
    with open(log_path, "w") as log:
        log.write(" ".join(words) + "\n")
        child = subprocess.Popen(words, cwd=source, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                 stdin=subprocess.DEVNULL, text=True, errors="replace")
        for line in child.stdout:
            log.write(line)
            result.read(line)
        result.close()
        if child.wait() != 0 and not result.failures:
            result.failures.append(("the suite's own program", f"ended with status {child.returncode}"))
    return result
