#!/usr/bin/env python3
"""That the suite's output is read right, and that the deny list is a list of what there is."""
import os
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import suite  # noqa: E402

OUTPUT = """\
Starting test server at port 21079
\x1b[1;37;49mTesting unit/x\x1b[0m
[\x1b[0;32;49mok\x1b[0m]: SET and GET (3 ms)
[\x1b[0;33;49mskip\x1b[0m]: EXEC
[\x1b[0;33;49mignore\x1b[0m]: Tag: needs:repl denied
[\x1b[0;31;49merr\x1b[0m]: DEL of many in tests/unit/x.tcl
Expected 1
to be 2
[\x1b[0;31;49merr\x1b[0m]: n error of the block
[1/1 done]: unit/x (0 seconds)

                   The End

*** [\x1b[0;31;49merr\x1b[0m]: DEL of many in tests/unit/x.tcl
"""


def deny_list(text):
    with tempfile.NamedTemporaryFile("w", suffix=".deny") as file:
        file.write(text)
        file.flush()
        return suite.DenyList(file.name)


class UnitResultTest(unittest.TestCase):
    def setUp(self):
        self.result = suite.UnitResult()
        for line in OUTPUT.splitlines(keepends=True):
            self.result.read(line)
        self.result.close()

    def test_names_what_came_of_each_test(self):
        self.assertEqual(self.result.passed, ["SET and GET"])
        self.assertEqual(self.result.denied, ["EXEC"])
        self.assertEqual(self.result.ignored, ["Tag: needs:repl denied"])
        self.assertEqual([name for name, _ in self.result.failures],
                         ["DEL of many", "between the tests: n error of the block"])

    def test_keeps_what_was_said_of_a_failure(self):
        self.assertIn("Expected 1\nto be 2", self.result.failures[0][1])


class DenyListTest(unittest.TestCase):
    def test_gives_each_test_its_reason(self):
        deny = deny_list("# x\n= a: first\nunit/x | EXEC\n= b: second\nunit/x | /^B\\w+ in\nunit/y | *\n")
        self.assertEqual(deny.word_for("unit/x", "EXEC"), "a")
        self.assertEqual(deny.word_for("unit/x", "BLPOP in a test"), "b")
        self.assertIsNone(deny.word_for("unit/x", "EXEC twice"))
        self.assertEqual(deny.units, {"unit/y": "b"})
        self.assertEqual(deny.unused("unit/x", ["EXEC"]), ["/^B\\w+ in"])

    def test_refuses_an_entry_without_a_reason(self):
        with self.assertRaises(ValueError):
            deny_list("unit/x | EXEC\n")
        with self.assertRaises(ValueError):
            deny_list("= a: first\nunit/x EXEC\n")

    def test_our_own_is_well_formed(self):
        deny = suite.DenyList(os.path.join(HERE, "deny"))
        self.assertTrue(all(deny.reasons.values()))


if __name__ == "__main__":
    unittest.main()
