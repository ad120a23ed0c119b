"""Counts the instructions of six kernels and compares them with what is written in guard.json.

    tools/dev guard             # fails where a kernel takes a tenth more than is written
    tools/dev guard --renew     # writes what they take now

Instructions, by callgrind, say the same on a busy machine as on an idle one. Where libraries choose
an implementation by the processor, one is chosen for them: simdjson's for SSE4.2, glibc's string
functions without AVX. What is compiled into Docket itself is for plain x86-64. The compiler is that
of the distribution, as figures of another are others.
"""

import argparse
import concurrent.futures
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

WRITTEN = pathlib.Path(__file__).with_name("guard.json")
TOLERANCE = 0.10
ENVIRONMENT = {
    "SIMDJSON_FORCE_IMPLEMENTATION": "westmere",
    "GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX,-AVX2,-AVX512F,-AVX512VL,-AVX512BW,-ERMS,-FSRM",
    "LC_ALL": "C",
}


def count(program, kernel):
    """Instructions within guard_measured() of one kernel."""
    with tempfile.TemporaryDirectory() as directory:
        out = pathlib.Path(directory) / "out"
        done = subprocess.run(
            ["valgrind", "--tool=callgrind", "--toggle-collect=guard_measured",
             f"--callgrind-out-file={out}", program, kernel],
            capture_output=True, text=True, env={**os.environ, **ENVIRONMENT})
        if done.returncode != 0:
            raise SystemExit(f"guard: {kernel}: {done.stderr[-2000:]}")
        found = re.search(r"^(?:summary|totals): (\d+)", out.read_text(), re.M)
        return int(found.group(1)) if found else 0


def compare(written, counted, tolerance=TOLERANCE):
    """(lines to print, whether all is well)."""
    lines, well = [], True
    for kernel in sorted({*written, *counted}):
        before, now = written.get(kernel), counted.get(kernel)
        if before is None or now is None:
            lines.append(f"{kernel:16} {'is not written down' if before is None else 'is gone'}")
            well = False
            continue
        if now == 0:
            lines.append(f"{kernel:16} counted nothing")
            well = False
            continue
        change = (now - before) / before
        verdict = ""
        if change > tolerance:
            verdict, well = f"  more than {tolerance:.0%} too many", False
        elif change < -tolerance:
            verdict = "  far fewer: tools/dev guard --renew"
        lines.append(f"{kernel:16} {now:12,} instructions, {change:+.1%}{verdict}")
    return lines, well


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--bin", required=True, help="where guard_kernels lies")
    parser.add_argument("--renew", action="store_true", help="write what the kernels take now")
    options = parser.parse_args()
    if not shutil.which("valgrind"):
        raise SystemExit("guard: valgrind is not installed: tools/dev deps")
    program = pathlib.Path(options.bin) / "guard_kernels"
    kernels = subprocess.check_output([program], text=True).split()
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        counted = dict(zip(kernels, pool.map(lambda kernel: count(program, kernel), kernels)))
    if options.renew:
        WRITTEN.write_text(json.dumps(counted, indent=2) + "\n")
    lines, well = compare(json.loads(WRITTEN.read_text()), counted)
    print("\n".join(lines))
    if not well:
        print("A kernel takes more than it did. Where that is meant: tools/dev guard --renew, and "
              "say why in the commit.")
        sys.exit(1)


if __name__ == "__main__":
    main()
