"""Starts the real programs and talks to them as users do. Python's standard library alone."""

import contextlib
import http.client
import json
import os
import pathlib
import queue
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
import unittest
import urllib.parse

BIN = pathlib.Path(os.environ.get("DOCKET_BIN", "build/release/bin")).resolve()
START_SECONDS = 60
STOP_SECONDS = 60
ANSWER_SECONDS = 240

# Small segments, so that sealing, indexing and retention happen within a test.
SMALL_SEGMENTS = '[segment]\nrows = 20000\n[retention]\ninterval = "200ms"\n'


def run(program, *arguments, check=True, stdin=None, environment=None, timeout=ANSWER_SECONDS):
    """Runs one of the programs to its end; with `check`, it must have exited 0."""
    result = subprocess.run(
        [BIN / program, *map(str, arguments)],
        input=stdin,
        capture_output=True,
        env={**os.environ, "TZ": "UTC", "NO_COLOR": "1", **(environment or {})},
        timeout=timeout,
    )
    result.stdout, result.stderr = result.stdout.decode(), result.stderr.decode()
    if check and result.returncode != 0:
        raise AssertionError(
            f"{program} {' '.join(map(str, arguments))} exited {result.returncode}\n"
            f"{result.stdout[-2000:]}\n{result.stderr[-2000:]}"
        )
    return result


def load(*arguments, check=True):
    return run("docket-load", *arguments, check=check, timeout=600)


def free_ports(count):
    """Ports that were free a moment ago, for a server that must come back at the same address."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [s.getsockname()[1] for s in sockets]
    for s in sockets:
        s.close()
    return ports


class Server:
    """A docketd of its own on free ports of the loopback interface.

    With `wait=False` it may not be ready, or not even alive, when this returns; then
    `wait_until_ready()` comes before any question.
    """

    def __init__(self, data, config=None, ingest_port=0, http_port=0, environment=None, wait=True):
        self.data = pathlib.Path(data)
        self.stderr_path = self.data.parent / f"{self.data.name}.stderr"
        arguments = ["--data", data]
        if config is not None:
            path = self.data.parent / f"{self.data.name}.toml"
            path.write_text(config)
            arguments += ["--config", path]
        arguments += ["--ingest", f"127.0.0.1:{ingest_port}", "--http", f"127.0.0.1:{http_port}"]
        self.stderr = open(self.stderr_path, "ab")
        self.process = subprocess.Popen(
            [BIN / "docketd", *map(str, arguments)],
            stdout=subprocess.PIPE,
            stderr=self.stderr,
            env={**os.environ, **(environment or {})},
        )
        self.ports = {}
        self.lines = queue.Queue()
        self.reader = threading.Thread(target=self._read_lines, daemon=True)
        self.reader.start()
        if wait:
            self.wait_until_ready()

    def _read_lines(self):
        for line in self.process.stdout:
            self.lines.put(line.decode().split())
        self.lines.put(None)

    def wait_until_ready(self):
        try:
            self._wait_for_ports()
        except BaseException:
            self.kill()
            raise
        self.ingest = ("127.0.0.1", self.ports["ingest"])
        self.http = ("127.0.0.1", self.ports["http"])
        self.url = f"http://127.0.0.1:{self.ports['http']}"

    def _wait_for_ports(self):
        while len(self.ports) < 2:
            try:
                words = self.lines.get(timeout=START_SECONDS)
            except queue.Empty:
                raise AssertionError("docketd did not say where it listens") from None
            if words is None:
                raise AssertionError(f"docketd ended at start:\n{self.log()[-2000:]}")
            if len(words) == 2 and words[0] in ("ingest", "http"):
                self.ports[words[0]] = int(words[1].rsplit(":", 1)[1])

    def log(self):
        return self.stderr_path.read_text(errors="replace")

    def stop(self):
        """SIGTERM, and the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(timeout=STOP_SECONDS)
        self._close()
        return code

    def kill(self):
        """SIGKILL: the process gets no chance to finish anything."""
        self.process.kill()
        self.process.wait()
        self._close()

    def _close(self):
        self.reader.join()
        self.process.stdout.close()
        self.stderr.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.kill()

    # --- HTTP ------------------------------------------------------------------------------------

    def request(self, method, path, body=None, headers=None):
        """(status, headers, body bytes)."""
        connection = http.client.HTTPConnection(*self.http, timeout=ANSWER_SECONDS)
        with contextlib.closing(connection):
            connection.request(method, path, body=body, headers=headers or {})
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()

    def get(self, path, **parameters):
        """The JSON answered to a GET that must succeed."""
        target = path + ("?" + urllib.parse.urlencode(parameters) if parameters else "")
        status, _, body = self.request("GET", target)
        if status != 200:
            raise AssertionError(f"GET {target}: {status} {body[:1000]!r}")
        return json.loads(body)

    def count(self, query=""):
        return self.get("/api/v1/count", q=query)["count"]

    def search(self, query="", **parameters):
        return self.get("/api/v1/search", q=query, **parameters)["events"]

    def post(self, events, headers=None):
        """(status, answer) of POST /api/v1/events with an array of events."""
        status, _, body = self.request("POST", "/api/v1/events", json.dumps(events), headers)
        return status, json.loads(body)

    # --- the ingest port -------------------------------------------------------------------------

    def exchange(self, data):
        """Sends bytes, closes the sending half, and returns all that is answered."""
        with socket.create_connection(self.ingest, timeout=ANSWER_SECONDS) as connection:
            # A server that has heard enough may close before it has read everything.
            with contextlib.suppress(ConnectionError):
                connection.sendall(data)
                connection.shutdown(socket.SHUT_WR)
            answer = b""
            with contextlib.suppress(ConnectionError):
                while chunk := connection.recv(65536):
                    answer += chunk
            return answer

    def send_ndjson(self, events):
        """Sends events as NDJSON like `nc -N`; returns the answered lines."""
        lines = [e if isinstance(e, str) else json.dumps(e) for e in events]
        answer = self.exchange("".join(line + "\n" for line in lines).encode())
        return [json.loads(line) for line in answer.decode().splitlines()]

    # --- the inspector ---------------------------------------------------------------------------

    def docket(self, *arguments, **options):
        return run("docket", *arguments, "--server", self.url, **options)

    def docket_data(self, *arguments, **options):
        return run("docket", *arguments, "--data", self.data, **options)


def event(verb="EDIT", target=("Contact", "1", ""), actor=("user", "17", "Ana Lima"), **more):
    """An event as a node would send it."""
    made = {
        "ts": "2026-05-01T14:22:03.25Z",
        "actor": {"kind": actor[0], "id": actor[1]},
        "verb": verb,
        "target": {"type": target[0]},
    }
    if len(actor) > 2 and actor[2]:
        made["actor"]["name"] = actor[2]
    if len(target) > 1 and target[1]:
        made["target"]["id"] = target[1]
    if len(target) > 2 and target[2]:
        made["target"]["name"] = target[2]
    made.update(more)
    return made


class EndToEnd(unittest.TestCase):
    """A test with a directory of its own, and servers that do not outlive it."""

    maxDiff = None

    def setUp(self):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="docket-e2e-"))
        self.addCleanup(shutil.rmtree, self.directory, ignore_errors=True)

    def wait_until(self, holds, state=None):
        """Polls for what happens in the background; `state()` says where it stands if not."""
        end = time.monotonic() + ANSWER_SECONDS
        while not holds():
            if time.monotonic() >= end:
                self.fail(f"it did not happen: {state() if state else 'no more is known'}")
            time.sleep(0.05)

    def spawn(self, program, *arguments):
        """One of the programs in the background; it does not outlive the test."""
        process = subprocess.Popen([BIN / program, *map(str, arguments)],
                                   stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)

        def end():
            process.kill()
            process.wait()
            process.stdout.close()

        self.addCleanup(end)
        return process

    def start(self, name="data", **options):
        server = Server(self.directory / name, **options)
        self.addCleanup(server.__exit__)
        return server
