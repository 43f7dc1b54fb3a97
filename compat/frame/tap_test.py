#!/usr/bin/env python3
"""That the frame counts what entries print, and that a broken entry cannot pass for a good one."""
import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import tap  # noqa: E402


def tally(text, status=0):
    result = tap.Tally()
    for line in text.splitlines():
        result.read(line)
    result.end(status)
    return result


class TallyTest(unittest.TestCase):
    def test_counts_what_passed_failed_and_was_skipped(self):
        result = tally("ok 1 - a\nnot ok 2 - b\nok 3 - c # SKIP no streams\n# not ok is what people say\n1..3\n", 1)
        self.assertEqual(result.passed, 1)
        self.assertEqual(result.failures, ["b"])
        self.assertEqual(result.skips, [("c", "no streams")])

    def test_numbers_and_names_may_be_left_out(self):
        result = tally("1..2\nok\nok - a name")
        self.assertEqual((result.passed, result.failures), (2, []))

    def test_an_entry_that_stops_early_has_failed(self):
        self.assertEqual(tally("1..2\nok 1 - a\n").failures, ["2 tests were planned, 1 came"])

    def test_an_entry_without_a_plan_has_failed(self):
        self.assertEqual(len(tally("ok 1 - a\n").failures), 1)
        self.assertEqual(len(tally("").failures), 1)

    def test_an_entry_that_ends_with_an_error_has_failed(self):
        self.assertEqual(tally("1..1\nok 1 - a\n", 3).failures, ["the entry ended with status 3"])

    def test_an_entry_may_be_skipped_as_a_whole(self):
        result = tally("1..0 # SKIP no compiler")
        self.assertEqual((result.passed, result.failures, result.skips), (0, [], [("all", "no compiler")]))


if __name__ == "__main__":
    unittest.main()
