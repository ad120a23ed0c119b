"""An export of everything: rows a second, what it cost, and the most memory that it took."""

import os
import pathlib
import re
import subprocess
import time


def peak_mib(pid):
    """What a process has had resident at most, or None once it has ended."""
    try:
        lines = pathlib.Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return None
    for line in lines:
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    return None


def run(command):
    """(rows, seconds, processor seconds, peak MiB) of an export whose output nobody keeps.

    The peak is read while it runs: what wait() tells of a child counts its parent's memory, too.
    """
    before, start = os.times(), time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    peak = 0
    while process.poll() is None:
        peak = max(peak, peak_mib(process.pid) or 0)
        time.sleep(0.005)
    seconds, after = time.perf_counter() - start, os.times()
    said = process.stderr.read().decode()
    process.stderr.close()
    if process.returncode != 0:
        raise RuntimeError(f"{command}: {said[-1000:]}")
    used = after.children_user + after.children_system
    used -= before.children_user + before.children_system
    return int(re.search(r"^rows (\d+)$", said, re.M)[1]), seconds, used, peak


class Exports:
    """`row` prints a line of a table; `processor_seconds` tells those that a process has used."""

    def __init__(self, driver, row, processor_seconds):
        self.driver, self.row, self.processor_seconds = driver, row, processor_seconds

    def measure(self, data, queries):
        """Each form of each of the queries; tells the seconds of the last as CSV."""
        seconds = None
        print("\n## Export\n")
        self.row("rows", "as", "how", "s", "rows/s", "processor µs a row: docket", "docketd",
                 "peak MiB: docket", "docketd")
        self.row(*["---"] * 9)
        for query in queries:
            for form in ("csv", "ndjson"):
                measured = run(self._command(form, query, "--data", data))
                self._row(form, "`--data`", measured)
                self._of_server(data, query, form)
                if form == "csv":
                    seconds = measured[1]
        return seconds

    def _command(self, form, query, *source):
        return [self.driver.BIN / "docket", "export", "--utc", "-o", form, *source, query]

    def _row(self, form, how, measured, used="", served=""):
        rows, seconds, own, peak = measured
        self.row(f"{rows:,}", form, how, f"{seconds:.2f}", f"{rows / seconds:,.0f}",
                 f"{own / rows * 1e6:.2f}", used, f"{peak:.0f}", served)

    def _of_server(self, data, query, form):
        """A server of its own each time, so that its peak is this export's."""
        with self.driver.Server(data) as server:
            measured = run(self._command(form, query, "--server", server.url))
            used = self.processor_seconds(server.process.pid)
            peak = peak_mib(server.process.pid)
            server.stop()
        self._row(form, "`--server`", measured, f"{used / measured[0] * 1e6:.2f}", f"{peak:.0f}")
