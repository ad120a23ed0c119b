"""What TLS and tokens cost the server, as ratios to the same events in the clear.

Every round sends the same events once in each setting, in turn, to a server of its own, so that
what else the machine does meets them alike; a ratio is that of two runs of one round. Counted is
the processor time of docketd alone, by its own clock in nanoseconds, from before the events are
sent until it has nothing more to do about them. Nothing is sealed: that would be the same work in
each.

Where others keep the machine busy that time is spread widely. Instructions are not, so callgrind
counts them as well, of the same server: what a run of three times as many events takes more.
"""

import re
import shutil
import socket
import ssl
import statistics
import subprocess
import time
import unittest.mock

ROUNDS_MIN = 5
EVENTS_MAX = 1_000_000  # so many fit into a segment that is not sealed
HANDSHAKES = 300
# At rest is who takes less than such a share of a core for so long; timers tick all the same.
REST_SECONDS = 0.25
REST_SHARE = 0.02
RESTS_MAX = 200
COUNTED_EVENTS = 50_000  # under callgrind, and then three times as many
CLEAR = "in the clear, no token"


def processor_ns(pid):
    """Of all threads of a process, those that have ended too: CPUCLOCK_SCHED of that process."""
    return time.clock_gettime_ns(~pid << 3 | 2)


def idle_ns(pid):
    """The same, once the process has come to rest."""
    taken = processor_ns(pid)
    for _ in range(RESTS_MAX):
        time.sleep(REST_SECONDS)
        now = processor_ns(pid)
        if now - taken < REST_SECONDS * 1e9 * REST_SHARE:
            return now
        taken = now
    raise RuntimeError("docketd does not come to rest")


def spread(values):
    """Median, and where the middle half lies."""
    low, middle, high = statistics.quantiles(values, n=4)
    return middle, low, high


class Secured:
    def __init__(self, driver, directory, row):
        import access_test  # from tests/e2e, like the driver
        import tls_test

        self.driver, self.directory, self.row = driver, directory, row
        for name, signer in (("ca", None), ("server", "ca"), ("client", "ca")):
            tls_test.make(directory, name, signer)
        self.token_file = directory / "token"
        self.token_file.write_text("bench-secret")
        self.token_file.chmod(0o600)
        tokens = "".join(access_test.token(name, "writer") for name in
                         (*(f"other-{n}" for n in range(99)), "bench-secret"))
        tls = (f'[tls]\ncertificate = "{directory}/server.crt"\nkey = "{directory}/server.key"\n')
        ours = '[[token]]\nname = "hosts"\nrole = "writer"\ncertificate = "localhost"\n'
        speaks = ("--tls", "--ca", directory / "ca.crt")
        shows = ("--token-file", self.token_file)
        proves = ("--cert", directory / "client.crt", "--key", directory / "client.key")
        # (name, configuration, flags of docket-load)
        self.settings = (
            (CLEAR, "", ()),
            ("with one of 100 tokens", tokens, shows),
            ("under TLS", tls, speaks),
            ("under TLS, with one of 100 tokens", tls + tokens, (*speaks, *shows)),
            ("under TLS, a certificate for the token",
             f'{tls}client_ca = "{directory}/ca.crt"\n{tokens}{ours}', (*speaks, *proves)),
        )

    def send(self, config, events, *flags):
        """Nanoseconds of the server an event."""
        data = self.directory / "secured"
        with self.driver.Server(data, config=config) as server:
            send = ("send", "--server", f"127.0.0.1:{server.ingest[1]}", *flags)
            self.driver.load(*send, "--events", 20_000, "--seed", 2)  # makes files and threads
            before = idle_ns(server.process.pid)
            self.driver.load(*send, "--events", events, "--end", "2026-05-01T00:00:00Z")
            taken = idle_ns(server.process.pid) - before
            server.stop()
        return taken / events

    def handshakes(self, config, client):
        """Nanoseconds of the server a connection with one line, acknowledged."""
        line = (b'{"actor":{"kind":"user","id":"1"},"verb":"EDIT",'
                b'"target":{"type":"List","id":"1"}}\n')
        with self.driver.Server(self.directory / "secured", config=config) as server:
            before = processor_ns(server.process.pid)
            for _ in range(HANDSHAKES):
                plain = socket.create_connection(server.ingest)
                peer = client.wrap_socket(plain, server_hostname="localhost") if client else plain
                peer.sendall(line)
                peer.recv(100)
                peer.close()
            taken = processor_ns(server.process.pid) - before
            server.stop()
        return taken / HANDSHAKES

    def instructions(self, config, *flags):
        """Of the server, an event; None where there is no valgrind."""
        if not shutil.which("valgrind"):
            return None
        counted = self.directory / "callgrind.out"
        place = self.directory / "counting"
        place.mkdir(exist_ok=True)
        (place / "docketd").write_text(
            f"#!/bin/sh\nexec valgrind -q --tool=callgrind --callgrind-out-file={counted} "
            f'{self.driver.BIN}/docketd "$@"\n')
        (place / "docketd").chmod(0o755)
        totals = []
        for events in (COUNTED_EVENTS, 3 * COUNTED_EVENTS):
            with unittest.mock.patch.object(self.driver, "BIN", place):
                server = self.driver.Server(self.directory / "secured", config=config)
            with server:
                self.driver.load("send", "--server", f"127.0.0.1:{server.ingest[1]}", *flags,
                                 "--events", events, "--end", "2026-05-01T00:00:00Z",
                                 "--patience-ms", 300_000)
                idle_ns(server.process.pid)
                subprocess.run(["callgrind_control", "-d", str(server.process.pid)], check=True,
                               capture_output=True)
                server.kill()  # a stop seals, which is no part of it
            shutil.rmtree(self.directory / "secured")
            (dump,) = self.directory.glob(counted.name + ".*")
            totals.append(int(re.search(r"(?m)^(?:summary|totals): (\d+)", dump.read_text())[1]))
            dump.unlink()
        return (totals[1] - totals[0]) / (2 * COUNTED_EVENTS)

    def rounds(self, count, cases):
        """{name: values of all rounds}, of {name: what gives one}."""
        values = {name: [] for name in cases}
        names = list(cases)
        for number in range(count):
            shift = number % len(names)  # none is always the first
            for name in names[shift:] + names[:shift]:
                values[name].append(cases[name]())
                shutil.rmtree(self.directory / "secured")
        return values

    def table(self, values, unit, scale, counted=None):
        base = next(iter(values))
        for name, all_values in values.items():
            middle = statistics.median(all_values) / scale
            ratio = ""
            if name != base:
                ratios = [one / of for one, of in zip(all_values, values[base])]
                ratio = "{:.2f} ({:.2f} to {:.2f})".format(*spread(ratios))
            cells = [name, f"{middle:,.0f} {unit} ({min(all_values) / scale:,.0f} to "
                     f"{max(all_values) / scale:,.0f})", ratio]
            if counted:
                one, of = counted[name], counted[base]
                cells.append(f"{one:,.0f}" + (f", {one / of:.2f}" if name != base else ""))
            self.row(*cells)

    def measure(self, events, count):
        count = max(count, ROUNDS_MIN)
        # For counting: batches that wait for one another are the same ones in each run.
        for way, many, how in (("native", events, ("--one-at-a-time", "--batch-rows", 8192)),
                               ("ndjson", events // 4, ())):
            print(f"\n## {many:,} events as {way}, one connection, {count} rounds\n", flush=True)
            heads = ["", "docketd's processor time an event: median (least to most)",
                     "ratio by rounds: median (middle half)"]
            counted = {name: self.instructions(config, "--protocol", way, *how, *flags)
                       for name, config, flags in self.settings}
            if None in counted.values():
                counted = None
            else:
                heads.append("its instructions an event, ratio")
            self.row(*heads)
            self.row(*["---"] * len(heads))
            cases = {name: lambda config=config, flags=flags: self.send(
                config, many, "--protocol", way, *flags)
                for name, config, flags in self.settings}
            self.table(self.rounds(count, cases), "ns", 1, counted)
        print(f"\n## A connection with one line, {HANDSHAKES} of them, {count} rounds\n",
              flush=True)
        self.row("", "docketd's processor time: median (least to most)",
                 "ratio by rounds: median (middle half)")
        self.row(*["---"] * 3)
        trusting = ssl.create_default_context(cafile=self.directory / "ca.crt")
        proving = ssl.create_default_context(cafile=self.directory / "ca.crt")
        proving.load_cert_chain(self.directory / "client.crt", self.directory / "client.key")
        configs = {name: config for name, config, _ in self.settings}
        cases = {CLEAR: lambda: self.handshakes("", None),
                 "under TLS": lambda: self.handshakes(configs["under TLS"], trusting),
                 "under TLS, a certificate for the token": lambda: self.handshakes(
                     configs["under TLS, a certificate for the token"], proving)}
        self.table(self.rounds(count, cases), "µs", 1000)
