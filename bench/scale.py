"""How the cost of a store grows with its events: disk, start, memory, questions, retirement.

Each size has a store of its own. A question is *cold* when it is the first that a new server is
asked and nothing of the store is in the page cache, *warm* as query_latency has it.
"""

import math
import os
import pathlib
import shutil
import signal
import time

import questions
import scale_plot

LOGS = ("activity", "authentication", "campaign", "api")


def forget(directory):
    """Takes a store out of the page cache."""
    for path in pathlib.Path(directory).rglob("*"):
        if path.is_file():
            with open(path, "rb") as file:
                os.fsync(file.fileno())
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


class Scale:
    """`bench` fills stores and measures warm questions; `of_process` reads a field of its status,
    `disk_bytes` the size of a directory."""

    def __init__(self, bench, row, of_process, disk_bytes):
        self.bench, self.row = bench, row
        self.of_process, self.disk_bytes = of_process, disk_bytes
        self.driver = bench.driver

    def measure(self, largest, end):
        sizes = [largest // 100, largest // 10, largest]
        found = [self._of_size(events, end) for events in sizes]
        print("\n## Questions by the number of events, milliseconds: cold, warm in process\n")
        self.row("question", *(f"{events:,}" for events in sizes))
        self.row(*["---"] * (1 + len(sizes)))
        for number, name in enumerate(found[-1]["asked"]):
            self.row(name, *(f"{f['cold'][number]:.1f}, {f['warm'][number]:.3f}" for f in found))
        print("\n## Stores by the number of events\n")
        self.row("", *(f"{events:,}" for events in sizes))
        self.row(*["---"] * (1 + len(sizes)))
        for name, form in (
            ("filled: events/s, sealing to the end included", "{:,.0f}"),
            ("bytes an event, indexes included", "{:.1f}"),
            ("segments", "{:,}"),
            ("a cold server's start to its first answer, ms", "{:.1f}"),
            ("a cold directory's first answer, ms", "{:.1f}"),
            ("server's peak memory while asked, MiB", "{:.0f}"),
            ("the oldest third retired and its space given back, ms", "{:.0f}"),
        ):
            self.row(name, *("" if math.isnan(f[name]) else form.format(f[name]) for f in found))
        self._draw(sizes, found)

    @staticmethod
    def _draw(sizes, found):
        names = found[-1]["asked"]

        def questions_by(temperature):
            return scale_plot.chart(sizes, [(name, [f[temperature][number] for f in found])
                                            for number, name in enumerate(names)], "milliseconds")

        def figures(unit, *of):
            return scale_plot.chart(sizes, [(name, [f[name] for f in found]) for name in of], unit)

        path = pathlib.Path("build/bench/scale.html")
        path.parent.mkdir(exist_ok=True)
        path.write_text(scale_plot.page("How costs grow with the number of events", (
            ("Questions, warm, in process", questions_by("warm")),
            ("Questions, cold", questions_by("cold")),
            ("Starts and retirement", figures(
                "milliseconds", "a cold server's start to its first answer, ms",
                "a cold directory's first answer, ms",
                "the oldest third retired and its space given back, ms")),
            ("Memory", figures("MiB", "server's peak memory while asked, MiB")),
        )))
        print(f"\nthe same as charts: {path}")

    def _of_size(self, events, end):
        self.bench.events = events
        data, seconds = self.bench.fill()
        found = {"filled: events/s, sealing to the end included": events / seconds,
                 "bytes an event, indexes included": self.disk_bytes(data) / events,
                 "segments": sum(1 for _ in data.rglob("*.seg"))}
        with self.driver.Server(data) as server:
            asked = [q for q in questions.questions(server, events, end) if q.kind != "export"]
            server.stop()
        found["asked"] = [question.name for question in asked]
        found["cold"] = [self._cold(data, question) for question in asked]
        forget(data)
        start = time.perf_counter()
        with self.driver.Server(data) as server:
            server.get("/api/v1/search", q="", limit=1)
            found["a cold server's start to its first answer, ms"] = self._since(start)
            self.bench.measure(asked, "--server", *server.http)
            found["server's peak memory while asked, MiB"] = self.of_process(
                server.process.pid, "VmHWM") / 1024
            server.stop()
        found["warm"] = [float(line[1]) / 1000 for line in
                         self.bench.measure(asked, "--data", data)]
        forget(data)
        start = time.perf_counter()
        self.driver.run("docket", "search", "--limit", "1", "--data", data)
        found["a cold directory's first answer, ms"] = self._since(start)
        found["the oldest third retired and its space given back, ms"] = self._retire(data)
        shutil.rmtree(data)
        return found

    @staticmethod
    def _since(start):
        return (time.perf_counter() - start) * 1000

    def _cold(self, data, question):
        forget(data)
        with self.driver.Server(data) as server:
            start = time.perf_counter()
            code, _, body = server.request("GET", question.target)
            taken = self._since(start)
            if code != 200:
                raise AssertionError(f"{question.target}: {body[:1000]!r}")
            server.stop()
        return taken

    def _retire(self, data):
        """From SIGHUP with smaller bounds until files are gone; only whole segments go."""
        config = pathlib.Path(data).with_suffix(".toml")  # where the driver puts it
        with self.driver.Server(data, config="") as server:
            logs = {log["log"]: log["bytes"] for log in server.get("/api/v1/stats")["logs"]}
            config.write_text("".join(
                f"[retention.{name}]\nmax_bytes = {logs[name] * 2 // 3}\n"
                for name in LOGS if name in logs))
            before = self.disk_bytes(data)
            start = time.perf_counter()
            server.process.send_signal(signal.SIGHUP)
            while self.disk_bytes(data) > before * 4 // 5:
                if self._since(start) > 5000:
                    return math.nan  # the segments are too few
                time.sleep(0.001)
            taken = self._since(start)
            server.stop()
        return taken
