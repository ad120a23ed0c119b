"""The bugs that tools/dev mutants plants can still be planted, and say which test catches them."""

import re
import subprocess
import unittest

import sources

FOLDER = sources.ROOT / "tests" / "mutants"


class Mutants(unittest.TestCase):
    def test_there_are_at_least_25(self):
        self.assertGreaterEqual(len(list(FOLDER.glob("*.patch"))), 25)

    def test_each_applies(self):
        for path in sorted(FOLDER.glob("*.patch")):
            with self.subTest(path.name):
                done = subprocess.run(["patch", "-p1", "--dry-run", "--force", "-i", path],
                                      cwd=sources.ROOT, capture_output=True, text=True)
                self.assertEqual(done.returncode, 0, done.stdout)

    def test_each_says_what_it_breaks_and_who_catches_it(self):
        for path in sorted(FOLDER.glob("*.patch")):
            with self.subTest(path.name):
                what, caught = path.read_text().splitlines()[:2]
                self.assertTrue(what.endswith("."))
                self.assertTrue(re.fullmatch(r"Caught by: \w+_tests \S+", caught), caught)


if __name__ == "__main__":
    unittest.main()
