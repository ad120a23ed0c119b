"""A seed is the same, turn for turn, when it is run again: alone, or among others."""

import re
import subprocess
import sys


def trace(*arguments):
    """What the seeds' turns come to, as the program sums them up."""
    output = subprocess.run([sys.argv[1], *arguments], check=True, text=True,
                            capture_output=True).stdout
    return int(re.search(r"trace ([0-9a-f]+)", output).group(1), 16)


for count, *kind in ((20,), (10, "--long")):
    together = trace("--from", "1", "--seeds", str(count), "--jobs", "2", *kind)
    alone = 0
    for seed in range(1, count + 1):
        alone ^= trace("--seed", str(seed), *kind)
    if together != alone:
        sys.exit(f"together {together:x}, alone {alone:x} {kind}")
