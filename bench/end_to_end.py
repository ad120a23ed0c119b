"""Docket as a whole on this machine: ingest over TCP, disk, memory and query times.

    tools/dev bench [ingest|query|all] [--events N]

Prints Markdown tables for bench/README.md. The events are docket-load's: the same seed and time
range each run, so that figures compare. Client and server share the machine.
"""

import argparse
import json
import os
import pathlib
import platform
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.parse

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "tests/e2e"))

END = "2026-05-01T00:00:00Z"


def machine():
    model = "unknown processor"
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.split(":", 1)[1].strip()
            break
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30
    return f"{os.cpu_count()} x {model}, {memory:.0f} GiB, Linux {platform.release()}"


def status(pid, name):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(name + ":"):
            return int(line.split()[1])
    return 0


def processor_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def disk_bytes(directory):
    return sum(p.stat().st_size for p in pathlib.Path(directory).rglob("*") if p.is_file())


def row(*cells):
    print("| " + " | ".join(str(cell) for cell in cells) + " |", flush=True)


def fdatasync_ms(directory):
    """Median of write + fdatasync of 4 KiB into a file that is already that long."""
    path = pathlib.Path(directory) / "probe"
    path.write_bytes(b"\0" * (1 << 20))
    times = []
    with open(path, "r+b", buffering=0) as file:
        os.fsync(file.fileno())
        for i in range(200):
            start = time.perf_counter()
            os.pwrite(file.fileno(), b"x" * 4096, (i % 256) * 4096)
            os.fdatasync(file.fileno())
            times.append((time.perf_counter() - start) * 1000)
    path.unlink()
    return sorted(times)[100]


class Bench:
    def __init__(self, driver, directory, events):
        self.driver, self.directory, self.events = driver, directory, events

    def send(self, server, events, *arguments):
        """docket-load's report, with the server's processor time and peak memory."""
        before = processor_seconds(server.process.pid)
        report = json.loads(self.driver.load(
            "send", "--server", f"127.0.0.1:{server.ingest[1]}", "--events", events, "--end", END,
            "--json", *arguments).stdout)
        report["server_seconds"] = processor_seconds(server.process.pid) - before
        report["peak_mib"] = status(server.process.pid, "VmHWM") / 1024
        return report

    def ingest_row(self, name, report):
        latency = report["ack_latency_ms"]
        row(name, f"{report['durable']:,}", f"{report['events_per_second']:,.0f}",
            f"{latency['p50']:.2f} / {latency['p99']:.2f} / {latency['p99.9']:.2f}",
            f"{report['server_seconds'] / report['durable'] * 1e9:,.0f}",
            f"{report['peak_mib']:.0f}")

    def ingest(self):
        print("\n## Ingest over TCP, acknowledged after fdatasync, sealing and indexing included\n")
        row("how", "events", "events/s", "ack p50 / p99 / p99.9 ms", "server ns an event",
            "server peak MiB")
        row(*["---"] * 6)
        few = max(2000, min(self.events // 100, 20000))
        cases = (
            ("native, 1 connection", self.events, ()),
            ("native, 4 connections", self.events, ("--connections", 4)),
            ("NDJSON, 1 connection", self.events // 4, ("--protocol", "ndjson")),
            ("NDJSON, 4 connections", self.events // 4,
             ("--protocol", "ndjson", "--connections", 4)),
            ("one event a commit, 1 client", few, ("--batch-rows", 1, "--one-at-a-time")),
            ("one event a commit, 64 clients", few * 10,
             ("--batch-rows", 1, "--one-at-a-time", "--connections", 64)),
            ("native at 20,000 events/s", min(self.events, 200000), ("--rate", 20000)),
        )
        for number, (name, events, arguments) in enumerate(cases):
            with self.driver.Server(self.directory / f"ingest-{number}") as server:
                self.ingest_row(name, self.send(server, events, *arguments))
                server.stop()
            shutil.rmtree(self.directory / f"ingest-{number}")
        print(f"\nwrite + fdatasync of 4 KiB here: median {fdatasync_ms(self.directory):.3f} ms")

    def fill(self):
        """A store with all events in sealed, indexed segments."""
        data = self.directory / "store"
        with self.driver.Server(data) as server:
            self.send(server, self.events)
            server.stop()
        # A segment sealed at the stop may lack its index; a start builds what is missing.
        with self.driver.Server(data) as server:
            server.count("verb:EDIT actor.kind:admin")
            server.stop()
        return data

    def questions(self, server):
        """The questions of the comparison, with values that fit this data."""
        def facet(field, query=""):
            answer = server.get("/api/v1/facets", q=query, by=field, top=10000)
            return answer["facets"][field]["values"]

        scale = self.events / 10_000_000
        actors = facet("actor")
        busy = min(actors, key=lambda a: abs(a["count"] - 10_000 * scale))["value"]
        rare = actors[-1]["value"]
        targets = facet("target", "target.type:Contact since:2026-04-30")
        target = min(targets, key=lambda t: abs(t["count"] - 2))["value"]
        week, day = "since:2026-04-24", "since:2026-04-30"
        export = "verb:EDIT since:2026-04-27T08:00" if scale >= 1 else f"verb:EDIT {week}"
        phrase = 'payload:"welcome series"'

        def search(query, **more):
            return "/api/v1/search?" + urllib.parse.urlencode({"q": query, "limit": 50, **more})

        def ask(path, **parameters):
            return f"/api/v1/{path}?" + urllib.parse.urlencode(parameters)

        return [
            ("Q1 newest 50 of all", search("")),
            (f"Q2 newest 50 of an actor with {10_000 * scale:,.0f} events",
             search(f"actor:{busy}")),
            ("Q3 count actor + verb + type, 7 d",
             ask("count", q=f"actor:{busy} verb:EDIT target.type:Contact {week}")),
            ("Q4 newest 50 of verb + type, 24 h",
             search(f"verb:DELETE target.type:Contact {day}")),
            ("Q5 count by verb, 7 d", ask("facets", q=week, by="verb")),
            ("Q5 count by verb, 90 d", ask("facets", q="", by="verb")),
            ("Q6 history of one target", search(f"target:{target}", oldest="true")),
            (f"Q7 a rare actor, {actors[-1]['count']} events", search(f"actor:{rare}")),
            (f"Q8 CSV of {server.count(export):,} rows", ask("export", q=export, format="csv")),
            ("Q9 count a phrase in payloads, 24 h", ask("count", q=f"{phrase} {day}")),
            ("Q9 count a phrase in payloads, all", ask("count", q=phrase)),
            ("Q10 hourly histogram of a verb, 7 d",
             ask("histogram", q=f"verb:EDIT {week}", every="1h")),
            ("all facets of everything", ask("facets", q="")),
        ]

    def measure(self, questions, *arguments):
        lines = "".join(f"{i} {target}\n" for i, (_, target) in enumerate(questions))
        output = self.driver.run("query_latency", *arguments, stdin=lines.encode(), timeout=1200)
        return [line.split() for line in output.stdout.splitlines()]

    def query(self):
        data = self.fill()
        size = disk_bytes(data)
        print(f"\n## Disk\n\n{size / self.events:.1f} bytes an event ({size:,} bytes for "
              f"{self.events:,} events), all indexes and the system's own log included")
        with self.driver.Server(data) as server:
            questions = self.questions(server)
            by_http = self.measure(questions, "--server", *server.http)
            peak = status(server.process.pid, "VmHWM") / 1024
            server.stop()
        # Exports are streams, which the process's own interface does not have.
        asked = [q for q in questions if "/export" not in q[1]]
        inside = dict(zip((q[0] for q in asked), self.measure(asked, "--data", data)))
        print("\n## Questions, warm, milliseconds\n")
        row("question", "in process, median", "HTTP, median", "HTTP, p99")
        row(*["---"] * 4)
        for (name, _), (_, median, p99, _, _) in zip(questions, by_http):
            own = f"{float(inside[name][1]) / 1000:.3f}" if name in inside else ""
            row(name, own, f"{float(median) / 1000:.3f}", f"{float(p99) / 1000:.3f}")
        times = []
        for _ in range(5):
            start = time.perf_counter()
            self.driver.run("docket", "search", "--limit", "1", "--data", data)
            times.append((time.perf_counter() - start) * 1000)
        print(f"\nopen a directory to its first answer, process start included: "
              f"{sorted(times)[2]:.1f} ms\n\nserver's peak memory while asked: {peak:.0f} MiB")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--bin", required=True)
    parser.add_argument("--events", type=int, default=10_000_000)
    parser.add_argument("--part", choices=("ingest", "query", "all"), default="all")
    options = parser.parse_args()
    os.environ["DOCKET_BIN"] = options.bin
    import driver

    # Beside the build, on a real disk: a temporary file system would make fdatasync free.
    directory = pathlib.Path(tempfile.mkdtemp(prefix="bench-", dir="build"))
    try:
        commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True)
        print(f"{machine()}; commit {commit.stdout.decode().strip()}; {options.events:,} events")
        bench = Bench(driver, directory, options.events)
        if options.part in ("ingest", "all"):
            bench.ingest()
        if options.part in ("query", "all"):
            bench.query()
    finally:
        shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    main()
