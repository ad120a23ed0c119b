"""The guard of the kernels notices what it is there for."""

import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "bench"))

import guard


class Guard(unittest.TestCase):
    def test_a_tenth_more_is_let_through_and_beyond_it_is_not(self):
        lines, well = guard.compare({"scan": 1000}, {"scan": 1100})
        self.assertTrue(well, lines)
        lines, well = guard.compare({"scan": 1000}, {"scan": 1101})
        self.assertFalse(well, lines)
        self.assertIn("too many", lines[0])

    def test_a_gain_is_told_so_that_it_is_written_down(self):
        lines, well = guard.compare({"scan": 1000}, {"scan": 800})
        self.assertTrue(well)
        self.assertIn("--renew", lines[0])

    def test_every_kernel_is_written_down_and_counted(self):
        self.assertFalse(guard.compare({"scan": 1000}, {"scan": 1000, "new": 5})[1])
        self.assertFalse(guard.compare({"scan": 1000, "old": 5}, {"scan": 1000})[1])

    def test_one_slow_kernel_among_good_ones_is_enough(self):
        lines, well = guard.compare({"a": 10, "b": 10, "c": 10}, {"a": 10, "b": 20, "c": 10})
        self.assertFalse(well)
        self.assertEqual(sum("too many" in line for line in lines), 1)

    def test_a_kernel_that_counts_nothing_is_no_gain(self):
        self.assertFalse(guard.compare({"scan": 1000}, {"scan": 0})[1])


if __name__ == "__main__":
    unittest.main()
