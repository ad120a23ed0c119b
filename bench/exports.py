"""An export of everything: rows a second, and the most memory that it took."""

import pathlib
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
    """(seconds, peak MiB) of a command whose output nobody keeps.

    The peak is read while it runs: what wait() tells of a child counts its parent's memory, too.
    """
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    peak = 0
    while process.poll() is None:
        peak = max(peak, peak_mib(process.pid) or 0)
        time.sleep(0.005)
    seconds = time.perf_counter() - start
    error = process.stderr.read()
    process.stderr.close()
    if process.returncode != 0:
        raise RuntimeError(f"{command}: {error[-1000:]!r}")
    return seconds, peak


class Exports:
    """`row` prints a line of a table."""

    def __init__(self, driver, row):
        self.driver, self.row = driver, row

    def measure(self, stores):
        """Of pairs of (directory, events in it); tells the seconds of the last as CSV."""
        seconds = None
        print("\n## Export of everything\n")
        self.row("rows", "as", "how", "s", "rows/s", "peak MiB of docket", "of docketd")
        self.row(*["---"] * 7)
        for data, events in stores:
            for form in ("csv", "ndjson"):
                measured = run(self._command(form, "--data", data))
                self._row(events, form, "`--data`", measured)
                self._of_server(data, events, form)
                if form == "csv":
                    seconds = measured[0]
        return seconds

    def _row(self, events, form, how, measured, served=""):
        seconds, peak = measured
        self.row(f"{events:,}", form, how, f"{seconds:.2f}", f"{events / seconds:,.0f}",
                 f"{peak:.0f}", served)

    def _command(self, form, *source):
        return [self.driver.BIN / "docket", "export", "--utc", "-o", form, *source]

    def _of_server(self, data, events, form):
        """A server of its own each time, so that its peak is this export's."""
        with self.driver.Server(data) as server:
            measured = run(self._command(form, "--server", server.url))
            peak = peak_mib(server.process.pid)
            server.stop()
        self._row(events, form, "`--server`", measured, f"{peak:.0f}")
