"""Senders as they come: rsyslog, nc, curl and the exporters of OpenTelemetry, each unchanged."""

import json
import os
import pathlib
import shutil
import socket
import subprocess
import tempfile
import unittest

import access_test
import driver
import tls_test
from driver import event

RSYSLOG = shutil.which("rsyslogd") or shutil.which("/usr/sbin/rsyslogd")
SEALED = pathlib.Path("/usr/lib").glob("*/rsyslog/lmnsd_ossl.so")
# Where a run with a network has put what npm has; a run without one goes on with it.
PACKAGES = driver.BIN.parents[2] / "build/exporters"
EXPORTER = pathlib.Path(__file__).with_name("otlp_exporter.js")
NPM = ["@opentelemetry/exporter-logs-otlp-http@0.57.2",
       "@opentelemetry/exporter-logs-otlp-proto@0.57.2", "@opentelemetry/sdk-logs@0.57.2"]


def rsyslog(case, server, forward, more=""):
    """An rsyslogd of its own that forwards what comes to its socket, whose path is returned."""
    directory = pathlib.Path(tempfile.mkdtemp(dir=case.directory))
    path = directory / "log.sock"
    config = directory / "rsyslog.conf"
    config.write_text(f"""
global(workDirectory="{directory}" {more})
module(load="imuxsock" SysSock.Use="off")
input(type="imuxsock" Socket="{path}" RateLimit.Interval="0" UseSysTimeStamp="off"
      UsePIDFromSystem="off")
action(type="omfwd" target="127.0.0.1" port="{server.ingest[1]}" protocol="tcp"
       template="RSYSLOG_SyslogProtocol23Format" action.resumeRetryCount="-1"
       action.resumeInterval="1" {forward})
""")
    process = subprocess.Popen([RSYSLOG, "-n", "-f", config, "-i", directory / "pid"],
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def end():
        process.terminate()
        process.wait(timeout=driver.STOP_SECONDS)

    case.addCleanup(end)
    case.wait_until(path.exists)
    return path


def log(path, texts):
    """What a program says to its machine's log."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as program:
        program.connect(str(path))
        for text in texts:
            program.send(f"<38>May  1 14:22:03 sshd[77]: {text}".encode())


@unittest.skipUnless(RSYSLOG, "there is no rsyslogd")
class Rsyslog(driver.EndToEnd):
    def test_omfwd_delivers_in_either_framing_and_over_a_restart_of_the_server(self):
        for framing in ("octet-counted", "traditional"):
            with self.subTest(framing):
                ports = driver.free_ports(2)
                server = self.start(framing, ingest_port=ports[0], http_port=ports[1])
                path = rsyslog(self, server, f'TCP_Framing="{framing}"')
                log(path, [f"session opened for ana, number {n}" for n in range(500)])
                self.wait_until(lambda: server.count("log:syslog actor:sshd") == 500)
                self.assertEqual(server.count('"session opened for ana, number 77"'), 1)
                (one,) = server.search('log:syslog payload:"number 499"')
                self.assertEqual((one["payload"]["facility"], one["payload"]["severity"]),
                                 ("auth", "info"))
                self.assertEqual(server.stop(), 0)
                again = self.start(framing, ingest_port=ports[0], http_port=ports[1])
                # The first one may go where nobody is left, which TCP does not tell its sender.
                self.wait_until(lambda: log(path, ["back"]) or again.count("payload:back") > 0)


@unittest.skipUnless(RSYSLOG and any(SEALED), "there is no rsyslogd with its driver ossl")
class RsyslogUnderTls(tls_test.TlsCase):
    def test_its_certificate_stands_for_a_token(self):
        writer = ('[[token]]\nname = "hosts"\nrole = "writer"\ncertificate = "localhost"\n'
                  'logs = ["syslog"]\n')
        server = self.start(f'client_ca = "{self.directory}/ca.crt"\n',
                            tokens=tls_test.TOKENS + writer)
        files = (f'DefaultNetstreamDriverCAFile="{self.directory}/ca.crt" '
                 f'DefaultNetstreamDriverCertFile="{self.directory}/client.crt" '
                 f'DefaultNetstreamDriverKeyFile="{self.directory}/client.key"')
        path = rsyslog(self, server, 'StreamDriver="ossl" StreamDriverMode="1" '
                       'StreamDriverAuthMode="x509/name" StreamDriverPermittedPeers="localhost" '
                       'TCP_Framing="octet-counted"', files)
        log(path, [f"under TLS, number {n}" for n in range(200)])
        own = ("--cert", self.directory / "client.crt", "--key", self.directory / "client.key")
        self.wait_until(lambda: self.docket("count", "log:syslog", *own).stdout == "200\n")


@unittest.skipUnless(shutil.which("nc"), "there is no nc")
class Netcat(driver.EndToEnd):
    def test_it_sends_a_file_of_lines_and_prints_what_is_settled(self):
        server = self.start()
        lines = "".join(json.dumps(event(target=("List", str(n)))) + "\n" for n in range(5000))
        done = subprocess.run(["nc", "-N", "127.0.0.1", str(server.ingest[1])],
                              input=lines + "{}\n", capture_output=True, text=True, check=True,
                              timeout=driver.ANSWER_SECONDS)
        answers = [json.loads(line) for line in done.stdout.splitlines()]
        self.assertEqual(answers[-1], {"durable": 5001})
        (refused,) = [answer for answer in answers if "error" in answer]
        self.assertEqual(refused["line"], 5001)
        self.assertEqual(server.count("target:List:4999"), 1)
        self.assertEqual(server.count(), 5000)


@unittest.skipUnless(shutil.which("curl"), "there is no curl")
class Curl(driver.EndToEnd):
    def test_it_posts_lines_arrays_and_files(self):
        server = self.start(config=access_test.TOKENS)
        lines = self.directory / "events.ndjson"
        lines.write_text("".join(json.dumps(event(target=("List", str(n)))) + "\n"
                                 for n in range(100)))
        url = f"{server.url}/api/v1/events"

        def curl(*arguments):
            done = subprocess.run(
                ["curl", "--silent", "--show-error", "--fail-with-body", *map(str, arguments)],
                capture_output=True, text=True, timeout=driver.ANSWER_SECONDS)
            return done.returncode, json.loads(done.stdout)

        token = ("--header", f"Authorization: Bearer {access_test.SECRETS['writer']}")
        code, answer = curl(*token, "--data-binary", f"@{lines}", url)
        self.assertEqual((code, answer["accepted"], answer["last_seq"]), (0, 100, 100))
        code, answer = curl(*token, "--json", json.dumps([event(verb="CREATE")]), url)
        self.assertEqual((code, answer["accepted"]), (0, 1))
        retry = (*token, "--header", "Idempotency-Key: k", "--upload-file", lines, "--request",
                 "POST", url)
        first, (code, answer) = curl(*retry), curl(*retry)
        self.assertEqual((code, answer.pop("duplicate"), (code, answer)), (0, True, first))
        code, answer = curl("--data-binary", f"@{lines}", url)
        self.assertEqual((code, answer["status"]), (22, 401))
        reader = ("--header", f"Authorization: Bearer {access_test.SECRETS['reader']}")
        code, answer = curl(*reader, "--get", "--data-urlencode", "q=target:List:77",
                            f"{server.url}/api/v1/count")
        self.assertEqual((code, answer["count"]), (0, 2))


class Exporters(driver.EndToEnd):
    """Those of OpenTelemetry for JavaScript, in both encodings."""

    @classmethod
    def setUpClass(cls):
        if not shutil.which("node"):
            raise unittest.SkipTest("there is no node")
        if not (PACKAGES / "node_modules/@opentelemetry/sdk-logs").is_dir():
            if not shutil.which("npm"):
                raise unittest.SkipTest("there is no npm")
            PACKAGES.mkdir(parents=True, exist_ok=True)
            done = subprocess.run(["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund",
                                   "--prefix", PACKAGES, *NPM], capture_output=True, text=True,
                                  timeout=300)
            if done.returncode != 0:
                shutil.rmtree(PACKAGES, ignore_errors=True)
                raise unittest.SkipTest(f"npm gives no exporter: {done.stderr[-300:]}")

    def test_they_deliver_in_both_encodings_with_a_token(self):
        server = self.start(config=access_test.TOKENS)
        for encoding, compression in (("http", "none"), ("proto", "gzip")):
            done = subprocess.run(
                ["node", EXPORTER, encoding, f"{server.url}/v1/logs", compression, "300"],
                capture_output=True, text=True, timeout=driver.ANSWER_SECONDS,
                env={**os.environ, "NODE_PATH": str(PACKAGES / "node_modules"),
                     "DOCKET_TOKEN": access_test.SECRETS["writer"]})
            self.assertEqual((done.returncode, done.stderr), (0, ""))

        def found(query):
            headers = access_test.bearer("reader")
            path = f"/api/v1/search?limit=1000&q={query}"
            return json.loads(server.request("GET", path, headers=headers)[2])["events"]

        for encoding in ("http", "proto"):
            plain = found(f"log:otlp+actor:shop-{encoding}")
            self.assertEqual(len(plain), 300)
            self.assertEqual({one["payload"]["body"] for one in plain},
                             {f"order {n} paid, Zoë" for n in range(300)})
            (own,) = found(f"log:activity+actor.id:{encoding}")
            self.assertEqual((own["verb"], own["target"], own["payload"]),
                             ("EDIT", {"type": "List", "id": "4"}, {"n": 1}))


if __name__ == "__main__":
    unittest.main()
