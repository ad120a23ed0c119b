"""Plants bugs, one at a time, in a copy of the sources, and looks whether the test catches each.

Each patch in this folder says in its first lines what it breaks and which test catches it:

    A group is acknowledged without a sync.
    Caught by: durability_tests *FaultLoop.NoFailingCallOfALife*

Usage: run.py [NAME...]; all of them by default. The copy is kept in build/mutants for the next run.
"""

import pathlib
import re
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
COPY = ROOT / "build" / "mutants" / "tree"
BUILD = COPY / "build" / "release"
TEST_SECONDS_MAX = 300  # a test that hangs has noticed, too


class Mutant:
    def __init__(self, path):
        self.path = path
        self.name = path.stem
        text = path.read_text()
        self.what = text.splitlines()[0]
        self.program, self.filter = re.search(r"^Caught by: (\S+) (\S+)$", text, re.M).groups()

    def apply(self, *flags):
        subprocess.run(["patch", "-p1", "--quiet", "--no-backup-if-mismatch", *flags, "-i",
                        self.path], cwd=COPY, check=True)


def copy_sources():
    """The tracked files as they are now; unchanged ones keep their times, so little is rebuilt."""
    tracked = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True,
                             capture_output=True).stdout
    COPY.mkdir(parents=True, exist_ok=True)
    for name in tracked.decode().split("\0"):
        source, target = ROOT / name, COPY / name
        if not name or not source.is_file():
            continue
        content = source.read_bytes()
        if not target.is_file() or target.read_bytes() != content:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
            target.chmod(source.stat().st_mode)


def build(*programs):
    done = subprocess.run(["cmake", "--build", BUILD, "--target", *programs], cwd=COPY,
                          capture_output=True, text=True)
    return done.returncode == 0, done.stdout[-3000:]


def test(mutant):
    """The first test that fails, or None."""
    run = [BUILD / "bin" / mutant.program, f"--gtest_filter={mutant.filter}",
           "--gtest_fail_fast", "--gtest_brief=1"]
    try:
        done = subprocess.run(run, cwd=COPY, capture_output=True, text=True, errors="replace",
                              timeout=TEST_SECONDS_MAX)
    except subprocess.TimeoutExpired:
        return f"{mutant.filter} (hangs)"
    if done.returncode == 0:
        return None
    failed = re.findall(r"^\[  FAILED  \] (\S+)", done.stdout, re.M)
    return failed[0].rstrip(",") if failed else f"{mutant.filter} (ends with {done.returncode})"


def main(names):
    mutants = [Mutant(path) for path in sorted(HERE.glob("*.patch"))]
    unknown = set(names) - {mutant.name for mutant in mutants}
    if unknown:
        sys.exit(f"there is no mutant {', '.join(sorted(unknown))}")
    mutants = [mutant for mutant in mutants if not names or mutant.name in names]
    began = time.monotonic()
    copy_sources()
    subprocess.run(["cmake", "--preset", "release"], cwd=COPY, check=True, capture_output=True)
    sound, output = build(*sorted({mutant.program for mutant in mutants}))
    if not sound:
        sys.exit(f"the sources do not build without a bug:\n{output}")
    for mutant in {(each.program, each.filter): each for each in mutants}.values():
        if caught := test(mutant):
            sys.exit(f"{mutant.name}: {caught} fails without a bug")
    survivors = []
    for mutant in mutants:
        mutant.apply()
        try:
            sound, output = build(mutant.program)
            if not sound:
                sys.exit(f"{mutant.name} does not build:\n{output}")
            caught = test(mutant)
        finally:
            mutant.apply("-R")
        print(f"{'caught' if caught else 'ALIVE ':7} {mutant.name:28} {caught or mutant.what}",
              flush=True)
        if not caught:
            survivors.append(mutant.name)
    print(f"{len(mutants) - len(survivors)} of {len(mutants)} planted bugs are caught, "
          f"in {(time.monotonic() - began) / 60:.0f} minutes")
    sys.exit(1 if survivors else 0)


if __name__ == "__main__":
    main(sys.argv[1:])
