"""The other ways in: syslog from the programs that send it, a Unix socket, and OTLP."""

import gzip
import json
import os
import shutil
import socket
import stat
import subprocess
import unittest

import driver
from driver import event


def messages(server):
    """The texts of log syslog, oldest first."""
    found = server.search("log:syslog", oldest="true", limit=1000)
    return [e["payload"].get("message") for e in found]


class Syslog(driver.EndToEnd):
    def logger(self, server, *arguments, text):
        subprocess.run(["logger", "--server", "127.0.0.1", "--port", str(server.ingest[1]), "--tcp",
                        "--tag", "shop", *arguments, "--", text],
                       check=True, timeout=driver.ANSWER_SECONDS)

    @unittest.skipUnless(shutil.which("logger"), "there is no logger")
    def test_logger_is_understood_in_every_form_it_has(self):
        server = self.start()
        forms = (["--rfc5424"], ["--rfc5424", "--octet-count"], ["--rfc3164"],
                 ["--rfc3164", "--octet-count"], ["--rfc5424=notime,notq,nohost"],
                 ["--rfc5424", "--msgid", "EDIT", "--priority", "auth.err", "--id=4711",
                  "--sd-id", "zoo@123", "--sd-param", 'tiger="hungry"',
                  "--sd-id", "docket@32473", "--sd-param", 'actor.kind="user"',
                  "--sd-param", 'actor.id="17"'])
        for i, form in enumerate(forms):
            self.logger(server, *form, text=f"message {i} Zoë")
        # The last one names its actor, so it is an event of the platform's own.
        self.wait_until(lambda: server.count() == len(forms))
        self.assertEqual(sorted(messages(server)), [f"message {i} Zoë" for i in range(5)])
        self.assertEqual(server.count("log:syslog actor:shop verb:LOG target.type:Host"), 5)
        (own,) = server.search("log:activity")
        self.assertEqual(own["actor"], {"kind": "user", "id": "17"})
        self.assertEqual((own["verb"], own["outcome"]), ("EDIT", "failure"))
        payload = own["payload"]
        self.assertEqual((payload["facility"], payload["severity"]), ("auth", "err"))
        self.assertEqual(payload["data"]["zoo@123"], {"tiger": "hungry"})
        self.assertEqual((payload["procid"], payload["message"]), ("4711", "message 5 Zoë"))
        self.assertEqual(server.stop(), 0)

    def test_an_export_sent_to_another_server_is_the_same_log(self):
        first, second = self.start("first"), self.start("second")
        sent = [event(target=("List", str(i), f"News [{i}] \"x\""), payload={"n": i, "p": "a\\b]"},
                      related=[{"type": "Contact", "id": str(i)}], reason="r" * (i % 3),
                      ts=f"2026-05-01T{i // 60:02}:{i % 60:02}:03.123456789Z") for i in range(500)]
        self.assertEqual(first.send_ndjson(sent)[-1], {"durable": 500})
        exported = first.docket("export", "-o", "syslog").stdout
        if shutil.which("nc"):
            subprocess.run(["nc", "-N", "127.0.0.1", str(second.ingest[1])],
                           input=exported.encode(), check=True, timeout=driver.ANSWER_SECONDS)
        else:
            self.assertEqual(second.exchange(exported.encode()), b"")
        self.wait_until(lambda: second.count() == 500)

        def log(server):
            lines = server.docket("export", "-o", "ndjson").stdout.splitlines()
            events = [json.loads(line) for line in lines]
            for one in events:
                del one["received"], one["node"]
            return events

        self.assertEqual(log(first), log(second))

    def test_what_is_no_message_is_recorded_and_its_neighbours_are_stored(self):
        server = self.start()
        self.assertEqual(server.exchange(b"<13>one\nnot a message\n<13>two\n"), b"")
        self.wait_until(lambda: server.count("log:syslog") == 2)
        self.assertEqual(messages(server), ["one", "two"])
        self.assertEqual(server.exchange(b"7 <13>onexyz"), b"")
        self.wait_until(lambda: server.count("log:docket verb:REJECT") == 2)
        reasons = {e["reason"] for e in server.search("log:docket verb:REJECT")}
        self.assertEqual(reasons, {"syslog message: pri: expected <0> to <191>",
                                   "syslog: expected the count of a message's octets"})
        metrics = server.request("GET", "/metrics")[2].decode()
        self.assertIn('docket_events_rejected_total{way="syslog",reason="form"} 1\n', metrics)

    def test_what_came_before_a_stop_is_stored(self):
        server = self.start()
        self.assertEqual(server.exchange(b"".join(b"<13>%d\n" % i for i in range(20000))), b"")
        self.assertEqual(server.stop(), 0)
        self.assertEqual(server.docket_data("count", "log:syslog").stdout.strip(), "20000")


class UnixSocket(driver.EndToEnd):
    def setUp(self):
        super().setUp()
        self.path = self.directory / "in.sock"
        self.environment = {"DOCKET_SOCKET": str(self.path)}

    def exchange(self, data):
        if shutil.which("nc"):
            return subprocess.run(["nc", "-N", "-U", self.path], input=data, check=True,
                                  capture_output=True, timeout=driver.ANSWER_SECONDS).stdout
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(self.path))
            connection.sendall(data)
            connection.shutdown(socket.SHUT_WR)
            return b"".join(iter(lambda: connection.recv(65536), b""))

    def test_every_program_sends_through_it(self):
        server = self.start(environment=self.environment)
        self.assertEqual(server.lines.get(timeout=driver.START_SECONDS),
                         ["socket", str(self.path)])
        self.assertEqual(stat.S_IMODE(self.path.stat().st_mode), 0o660)
        self.assertEqual(self.exchange(json.dumps(event()).encode()), b'{"durable":1}\n')
        self.assertEqual(server.search("")[0]["node"], f"unix:{os.getuid()}")
        self.assertEqual(self.exchange(b"<13>one"), b"")
        for i, protocol in enumerate(("native", "ndjson")):
            driver.load("send", "--server", f"unix:{self.path}", "--events", 1000, "--seed", i,
                        "--end", "2026-05-01T00:00:00Z", "--protocol", protocol)
        file = self.directory / "events.ndjson"
        file.write_text("".join(json.dumps(event()) + "\n" for _ in range(10)))
        driver.run("docket", "import", file, "--ingest", f"unix:{self.path}")
        self.assertEqual(server.count(), 2012)
        self.assertEqual(server.stop(), 0)
        self.assertFalse(self.path.exists())

    def test_the_socket_of_a_killed_server_is_replaced_and_that_of_a_live_one_is_not(self):
        first = self.start("first", environment=self.environment)
        first.kill()
        self.assertTrue(self.path.exists())
        second = self.start("second", environment=self.environment)
        third = driver.run("docketd", "--data", self.directory / "third", "--socket", self.path,
                           "--ingest", "127.0.0.1:0", "--http", "127.0.0.1:0", check=False)
        self.assertEqual((third.returncode, third.stderr),
                         (1, f"docketd: cannot listen on {self.path}: another server does\n"))
        self.assertEqual(self.exchange(json.dumps(event()).encode()), b'{"durable":1}\n')
        self.assertEqual(second.count(), 1)


def varint(number):
    out = b""
    while number >= 0x80:
        out += bytes([number & 0x7F | 0x80])
        number >>= 7
    return out + bytes([number])


def field(number, content):
    """A field of a protocol buffer: bytes, or an integer."""
    if isinstance(content, bytes):
        return varint(number << 3 | 2) + varint(len(content)) + content
    return varint(number << 3) + varint(content)


def attribute(key, value):
    return field(1, key.encode()) + field(2, field(1, value.encode()))


class Otlp(driver.EndToEnd):
    """What an exporter sends: the bytes of an ExportLogsServiceRequest."""

    PROTOBUF = {"Content-Type": "application/x-protobuf"}
    JSON = {"Content-Type": "application/json"}

    def logs(self, *records):
        resource = field(1, attribute("service.name", "shop"))
        return field(1, field(1, resource) + field(2, b"".join(field(2, r) for r in records)))

    def record(self, body, **fields):
        time = varint(1 << 3 | 1) + (1777645323123456789).to_bytes(8, "little")
        return time + field(2, 9) + field(5, field(1, body.encode())) + b"".join(
            field(6, attribute("docket." + name.replace("_", "."), value))
            for name, value in fields.items())

    def post(self, server, body, headers):
        status, got, answer = server.request("POST", "/v1/logs", body, headers)
        self.assertEqual(got["Content-Type"], headers["Content-Type"])
        return status, answer

    def test_both_encodings_are_stored_and_found(self):
        server = self.start()
        ours = self.record("x", actor_kind="user", actor_id="17", verb="EDIT",
                           target_type="List", target_id="4", payload='{"n":1}')
        self.assertEqual(self.post(server, self.logs(self.record("hello"), ours), self.PROTOBUF),
                         (200, b""))
        request = {"resourceLogs": [{"scopeLogs": [{"logRecords": [
            {"timeUnixNano": "1777645323123456789", "body": {"stringValue": "hello"}}]}]}]}
        self.assertEqual(self.post(server, json.dumps(request), self.JSON), (200, b"{}"))
        self.assertEqual(server.count("log:otlp"), 2)
        self.assertEqual(server.count("log:otlp actor:shop payload:hello"), 1)
        (own,) = server.search("log:activity")
        self.assertEqual((own["actor"], own["verb"], own["payload"], own["ts"]),
                         ({"kind": "user", "id": "17"}, "EDIT", {"n": 1},
                          "2026-05-01T14:22:03.123456789Z"))

    def test_bodies_may_be_compressed(self):
        server = self.start()
        body = gzip.compress(self.logs(*[self.record("x" * 100)] * 1000))
        coded = {**self.PROTOBUF, "Content-Encoding": "gzip"}
        self.assertEqual(self.post(server, body, coded), (200, b""))
        lines = gzip.compress(b"".join(json.dumps(event()).encode() + b"\n" for _ in range(500)))
        status, _, _ = server.request("POST", "/api/v1/events", lines,
                                      {"Content-Encoding": "gzip"})
        self.assertEqual((status, server.count()), (200, 1500))
        status, answer = self.post(server, body[:99] + b"?" + body[100:], coded)
        self.assertEqual(status, 400)
        self.assertIn(b"body: is not one whole stream of gzip", answer)
        bomb = gzip.compress(bytes(1 << 25))
        self.assertEqual(self.post(server, bomb, coded)[0], 413)
        status, _, _ = server.request("POST", "/v1/logs", b"x",
                                      {**self.PROTOBUF, "Content-Encoding": "br"})
        self.assertEqual((status, server.count()), (415, 1500))

    def test_what_is_refused_is_told_in_the_exporters_own_words(self):
        server = self.start()
        body = self.logs(self.record("x"), self.record("x", outcome="maybe"))
        status, answer = self.post(server, body, self.PROTOBUF)
        message = b"record 1: outcome: must be success, failure or denied"
        self.assertEqual((status, answer), (200, field(1, field(1, 1) + field(2, message))))
        status, answer = self.post(server, b"\xff", self.PROTOBUF)
        message = b"otlp: the body is no protocol buffer of a request"
        self.assertEqual((status, answer), (400, field(1, 3) + field(2, message)))
        status, answer = self.post(server, b"[]", self.JSON)
        self.assertEqual((status, json.loads(answer)["code"]), (400, 3))
        status, _, _ = server.request("POST", "/v1/logs", body, {"Content-Type": "text/plain"})
        self.assertEqual(status, 415)
        self.assertEqual(server.count(), 1)

    def test_an_idempotency_key_makes_a_retry_harmless(self):
        server = self.start()
        for _ in range(3):
            self.post(server, self.logs(self.record("x")),
                      {**self.PROTOBUF, "Idempotency-Key": "k"})
        self.assertEqual(server.count(), 1)


if __name__ == "__main__":
    unittest.main()
