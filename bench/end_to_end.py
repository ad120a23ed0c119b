"""Docket as a whole on this machine: ingest over TCP, disk, memory and query times.

    tools/dev bench [ingest|load|query|scale|secured|all] [--events N] [--repeat R] [--peers LIST]

Prints Markdown tables for bench/README.md. `load` sweeps offered rates, makes a plan and verifies
it, and leaves figures and a page in build/bench. `scale` fills a hundredth, a tenth and all of the
events and tells how the costs grow; `secured` tells what TLS and tokens cost; `all` leaves both
out. The events are docket-load's: the same seed and time range each run, so that figures compare.
Client and server share the machine. The questions are asked of SQLite, DuckDB, ClickHouse and
PostgreSQL as well, where they are here, and all answers must be the same.
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

import exports
import peers
import questions
import scale
import secured

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


def both(median, p99):
    return f"{median:.3f} / {p99:.3f}"


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
    def __init__(self, driver, directory, options):
        self.driver, self.directory, self.events = driver, directory, options.events
        self.peers, self.repeat = options.peers, options.repeat

    def send(self, server, events, *arguments):
        """docket-load's report, with what the server took."""
        return json.loads(self.driver.load(
            "send", "--server", f"127.0.0.1:{server.ingest[1]}", "--events", events, "--end", END,
            "--server-pid", server.process.pid, "--json", *arguments).stdout)

    def ingest_row(self, name, report):
        latency, rate = report["ack_latency_ms"], report["spread"]["events_per_second"]
        servers = [run["server"] for run in report["runs"]]
        spread = f" ({rate['min']:,.0f} to {rate['max']:,.0f})" if len(servers) > 1 else ""
        row(name, f"{report['durable']:,}", f"{rate['median']:,.0f}{spread}",
            f"{latency['p50']:.2f} / {latency['p99']:.2f} / {latency['p99.9']:.2f}",
            f"{sum(s['cpu_seconds'] for s in servers) / report['durable'] * 1e9:,.0f}",
            f"{sum(s['written_bytes'] for s in servers) / report['durable']:,.0f}",
            f"{servers[-1]['resident_bytes_max'] / 2**20:.0f}")

    def ingest(self):
        print("\n## Ingest over TCP, acknowledged after fdatasync, sealing and indexing included\n")
        row("how", "events", "events/s", "ack p50 / p99 / p99.9 ms", "server ns an event",
            "bytes written an event", "server peak MiB")
        row(*["---"] * 7)
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
            ("the same, bare clients", few * 10,
             ("--batch-rows", 1, "--bare", "--connections", 64)),
            ("native at 20,000 events/s", min(self.events, 200000), ("--rate", 20000)),
        )
        for number, (name, events, arguments) in enumerate(cases):
            with self.driver.Server(self.directory / f"ingest-{number}") as server:
                self.ingest_row(name, self.send(server, events, "--repeat", self.repeat,
                                                    *arguments))
                server.stop()
            shutil.rmtree(self.directory / f"ingest-{number}")
        print(f"\nwrite + fdatasync of 4 KiB here: median {fdatasync_ms(self.directory):.3f} ms")

    def load(self):
        """A sweep and a verified plan; both fail where a forecast is more than 15 % off."""
        out = pathlib.Path("build/bench")
        out.mkdir(exist_ok=True)
        sweep, plan = out / "sweep.json", out / "plan.json"
        print("\n## Offered rates\n", flush=True)
        self.driver.run("docket-load", "sweep", "--data", self.directory / "sweep", "--json", sweep,
                        timeout=3600)
        swept = json.loads(sweep.read_text())
        row("offered/s", "durable/s", "ack p50 / p99 / p99.9 ms", "server cores",
            "count by verb and type, p99 ms")
        row(*["---"] * 5)
        for number, step in enumerate(swept["steps"]):
            run, latency = step["run"], step["run"]["ack_latency_ms"]
            knee = swept["knee"] and swept["knee"]["step"] == number
            row(f"{run['rate']:,.0f}" + (" (knee)" if knee else ""),
                f"{run['events_per_second']:,.0f}" + ("" if step["sustained"] else " (not all)"),
                f"{latency['p50']:.2f} / {latency['p99']:.2f} / {latency['p99.9']:.2f}",
                f"{run['server']['cpu_seconds'] / run['seconds']:.2f}",
                f"{step['questions'][3]['latency_ms']['p99']:.2f}")
        print("\n## A plan for 5 million events a day, kept 365 days, and a second run\n",
              flush=True)
        planned = self.driver.run(
            "docket-load", "plan", "--events-per-day", "5M", "--data", self.directory / "plan",
            "--verify", "--json", plan, check=False, timeout=3600)
        print(planned.stdout)
        self.driver.run("docket-load", "report", sweep, plan, "--out", out / "report.html")
        print(f"figures and a page: {out}/sweep.json, plan.json, report.html")
        if planned.returncode != 0:
            raise SystemExit(planned.stderr.strip().splitlines()[-1])

    def fill(self):
        """A store with all events in sealed, indexed segments, and how long that took."""
        data = self.directory / "store"
        start = time.perf_counter()
        with self.driver.Server(data) as server:
            self.send(server, self.events)
            # A stop ends sealing, and what waited for it is left for the next start.
            while self.unsealed_segments(server) != 0:
                time.sleep(0.05)
            server.stop()
        # A segment sealed at the stop may lack its index; a start builds what is missing.
        with self.driver.Server(data) as server:
            server.count("verb:EDIT actor.kind:admin")
            server.stop()
        return data, time.perf_counter() - start

    @staticmethod
    def unsealed_segments(server):
        metrics = server.request("GET", "/metrics")[2].decode()
        return sum(int(line.rsplit(" ", 1)[1]) for line in metrics.splitlines()
                   if line.startswith("docket_log_unsealed_segments"))

    def measure(self, asked, *arguments):
        lines = "".join(f"{i} {question.target}\n" for i, question in enumerate(asked))
        output = self.driver.run("query_latency", *arguments, stdin=lines.encode(), timeout=1200)
        return [line.split() for line in output.stdout.splitlines()]

    def ask_peers(self, data, asked, expected, sizes):
        """[(name, times by question)] of the peers that are here; their answers must be ours."""
        if not self.peers:
            return []
        found, words = peers.available(self.directory, pathlib.Path("build/peers"), self.peers)
        for word in words:
            print(f"\n{word}")
        table = self.directory / "all.csv"
        self.driver.run("docket", "export", "--utc", "--raw", "-o", "csv", "--data", data,
                        "--out", table, timeout=1200)
        results = []
        for peer in found:
            print(f"\n{peer.name}: {peer.configuration}.", flush=True)
            start = time.perf_counter()
            peer.load(table)
            seconds = time.perf_counter() - start
            answers = peer.ask([question for question in asked if question.sql])
            for name, (_, _, answer) in answers.items():
                if answer != expected[name]:
                    raise AssertionError(f"{peer.name} and Docket answer {name} differently:\n"
                                         f"{str(answer)[:500]}\n{str(expected[name])[:500]}")
            start = time.perf_counter()
            everything = self.directory / "peer.csv"
            peer.export_all(everything)
            exported = time.perf_counter() - start
            everything.unlink()
            sizes.append((peer.name, seconds, peer.disk_bytes(), exported))
            peer.remove()
            results.append((peer.name, answers))
        table.unlink()
        return results

    def query(self):
        data, seconds = self.fill()
        with self.driver.Server(data) as server:
            asked = questions.questions(server, self.events, END)
            by_http = self.measure(asked, "--server", *server.http)
            peak = status(server.process.pid, "VmHWM") / 1024
            expected = {}
            for question in asked:
                code, _, body = server.request("GET", question.target)
                if code != 200:
                    raise AssertionError(f"{question.target}: {body[:1000]!r}")
                if question.sql:
                    expected[question.name] = questions.docket_answer(question.kind, body)
            server.stop()
        # Exports are streams, which the process's own interface does not have.
        inside = [question for question in asked if question.kind != "export"]
        by_name = dict(zip((q.name for q in inside), self.measure(inside, "--data", data)))
        # Of 90 days, about a tenth and all of it: the same segments are open for both.
        exported = exports.Exports(self.driver, row, processor_seconds).measure(
            data, ("since:2026-04-22", ""))
        sizes = [("Docket", seconds, disk_bytes(data), exported)]
        beside = self.ask_peers(data, asked, expected, sizes)

        print("\n## Questions, warm, milliseconds: median / p99 as the client sees them\n")
        row("question", "in process", "HTTP", *(name for name, _ in beside))
        row(*["---"] * (3 + len(beside)))
        for question, (_, median, p99, _, _) in zip(asked, by_http):
            own = ""
            if question.name in by_name:
                own = both(*(float(us) / 1000 for us in by_name[question.name][1:3]))
            row(question.name, own, both(float(median) / 1000, float(p99) / 1000),
                *(both(*answers[question.name][:2]) if question.sql else ""
                  for _, answers in beside))
        print("\n## Load and disk, all indexes included\n")
        row("", "load, s", "bytes", "bytes an event", "all rows as CSV, rows/s")
        row(*["---"] * 5)
        for name, seconds, size, exported in sizes:
            row(name, f"{seconds:.1f}", f"{size:,}", f"{size / self.events:.1f}",
                f"{self.events / exported:,.0f}")
        times = []
        for _ in range(5):
            start = time.perf_counter()
            self.driver.run("docket", "search", "--limit", "1", "--data", data)
            times.append((time.perf_counter() - start) * 1000)
        print(f"\nopen a directory to its first answer, process start included: "
              f"{sorted(times)[2]:.1f} ms\n\nserver's peak memory while asked: {peak:.0f} MiB")


def peer_names(text):
    names = [] if text == "none" else text.split(",")
    for name in names:
        if name not in peers.NAMES:
            raise argparse.ArgumentTypeError(f"'{name}' is none of {','.join(peers.NAMES)}")
    return names


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--bin", required=True)
    parser.add_argument("--events", type=int, default=10_000_000)
    parser.add_argument("--part", choices=("ingest", "load", "query", "scale", "secured", "all"),
                        default="all")
    parser.add_argument("--repeat", type=int, default=1,
                        help="runs of each row of ingest; rounds of secured, at least 5")
    parser.add_argument("--peers", type=peer_names, default=peers.NAMES, metavar="LIST",
                        help=f"of {','.join(peers.NAMES)}; none: ask Docket alone")
    options = parser.parse_args()
    os.environ["DOCKET_BIN"] = options.bin
    import driver

    # Beside the build, on a real disk: a temporary file system would make fdatasync free.
    directory = pathlib.Path(tempfile.mkdtemp(prefix="bench-", dir="build"))
    try:
        commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True)
        print(f"{machine()}; commit {commit.stdout.decode().strip()}; {options.events:,} events")
        bench = Bench(driver, directory, options)
        if options.part in ("ingest", "all"):
            bench.ingest()
        if options.part in ("query", "all"):
            bench.query()
        if options.part == "scale":
            scale.Scale(bench, row, status, disk_bytes).measure(options.events, END)
        if options.part == "secured":
            secured.Secured(driver, directory.resolve(), row).measure(
                min(options.events, secured.EVENTS_MAX), options.repeat)
        if options.part in ("load", "all"):
            bench.load()  # last: on a busy machine a forecast may not hold, which fails
    finally:
        shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    main()
