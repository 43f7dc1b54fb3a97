"""What an entry of compat/ prints: the Test Anything Protocol, which any language can write without a library.

    ok 1 - connects
    not ok 2 - pipeline of 1000
    ok 3 - sharded publish # SKIP there is no publish/subscribe
    # a line for people
    1..3

The plan may come first or last; what was planned and did not come has failed.
"""
import re

TEST = re.compile(r"^(not )?ok\b\s*\d*\s*(?:-\s*)?(.*?)\s*(?:#\s*skip\S*\s*(.*))?$", re.IGNORECASE)
PLAN = re.compile(r"^1\.\.(\d+)\s*(?:#\s*skip\S*\s*(.*))?$", re.IGNORECASE)


class Tally:
    """Counts the lines of one entry. Not a line of TAP: for people."""

    def __init__(self):
        self.passed = 0
        self.failures = []  # names
        self.skips = []  # (name, reason)
        self.planned = None

    def read(self, line):
        plan = PLAN.match(line)
        if plan:
            self.planned = int(plan.group(1))
            if self.planned == 0:
                self.skips.append(("all", plan.group(2) or ""))
            return
        test = TEST.match(line)
        if not test:
            return
        if test.group(3) is not None:
            self.skips.append((test.group(2), test.group(3)))
        elif test.group(1):
            self.failures.append(test.group(2))
        else:
            self.passed += 1

    def end(self, status):
        """The entry has ended with this exit status. Silence is not success."""
        seen = self.passed + len(self.failures) + (len(self.skips) if self.planned != 0 else 0)
        if self.planned is None:
            self.failures.append("the entry ended without a plan (1..n)")
        elif seen != self.planned:
            self.failures.append(f"{self.planned} tests were planned, {seen} came")
        if status != 0 and not self.failures:
            self.failures.append(f"the entry ended with status {status}")
