"""Secrets are taken out before anything is written: a corpus of them, sent in every way, is in no
file of the store."""

import json
import signal
import unittest

import driver

CONFIG = """
[redact]
keys = ["password", "api_key", "*secret*", "card", "pin"]
patterns = ["authorization", "card", "jwt", "private_key", "access_key"]
[segment]
rows = 300
"""

# As values of members that the rules name.
NAMED = [("password", "hunter2-swordfish"), ("Api-Key", "k-83hfuw93"),
         ("client_secret", "s3kr1t-abc"), ("PIN", "pin-4711-0815"),
         ("p\\u0061ssword", "escaped-name-77")]
# Wherever they stand.
SHAPED = ["Bearer AbCdEf0123456789zz", "Basic dXNlcjpwYXNzd29yZA==", "4111111111111111",
          "5555-5555-5555-4444", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJlc2ln",
          "AKIAIOSFODNN7EXAMPLE", "ghp_0123456789abcdefghijABCDEFGHIJ012345",
          "-----BEGIN PRIVATE KEY----- MHcCAQEEIBkg -----END PRIVATE KEY-----"]
SECRETS = [value for _, value in NAMED] + SHAPED


def payloads():
    """Raw JSON texts, each with secrets in some place."""
    for name, value in NAMED:
        yield f'{{"{name}":"{value}"}}'
        yield f'{{"a":[{{"b":{{"{name}":{{"deep":["{value}"]}}}}}}]}}'
        yield f'{{"changes":[{{"field":"{name}","old":"{value}","new":"{value}x"}}]}}'
        yield f'{{"before":{{"{name}":"{value}"}},"after":{{"{name}":"{value}2"}}}}'
    for value in SHAPED:
        yield json.dumps({"note": f"it was {value}, really", "list": [value, [value]]})
        yield json.dumps({value: 1})
    yield '{"n":4111111111111111}'


def events():
    for number, payload in enumerate(payloads()):
        made = driver.event(target=("Thing", str(number)))
        yield json.dumps(made)[:-1] + f',"payload":{payload}}}'
    for value in SHAPED:
        short = value[:100]
        yield json.dumps(driver.event(actor=("user", "17", f"Ana {short}"), reason=f"saw {short}",
                                      session=short, request=short,
                                      related=[{"type": "List", "id": "7", "name": short}]))


class RedactionTest(driver.EndToEnd):
    def files_that_hold(self, data, secrets):
        """What grep finds, and what is found where compression does not hide it."""
        exported = driver.run("docket", "export", "log:*", "-o", "ndjson", "--data", data).stdout
        found = {("an export", s) for s in secrets if s in exported}
        for path in data.rglob("*"):
            if path.is_file():
                content = path.read_bytes()
                found |= {(path.name, s) for s in secrets if s.encode() in content}
        return found

    def send_everything(self, server):
        lines = list(events())
        # NDJSON, HTTP, native, syslog and OTLP.
        answer = server.exchange("".join(line + "\n" for line in lines).encode())
        self.assertNotIn(b"error", answer)
        status, _, body = server.request("POST", "/api/v1/events", "[" + ",".join(lines) + "]")
        self.assertEqual(status, 200, body)
        file = self.directory / "events.ndjson"
        file.write_text("".join(line + "\n" for line in lines))
        server.docket("import", file)
        for value in SHAPED:
            server.exchange(f"<13>1 2026-05-01T14:22:03Z web-1 su 1 ID47 - saw {value}\n".encode())
        password = {"key": "password", "value": {"stringValue": "hunter2-swordfish"}}
        records = [{"timeUnixNano": "1777638123250000000", "body": {"stringValue": value},
                    "attributes": [password]} for value in SHAPED]
        request = {"resourceLogs": [{"scopeLogs": [{"logRecords": records}]}]}
        status, _, body = server.request("POST", "/v1/logs", json.dumps(request),
                                         {"Content-Type": "application/json"})
        self.assertEqual(status, 200, body)
        return 3 * len(lines) + 2 * len(SHAPED)

    def test_no_file_holds_a_secret(self):
        server = self.start(config=CONFIG)
        sent = self.send_everything(server)
        self.assertEqual(server.count("-log:docket"), sent)
        self.assertEqual(self.files_that_hold(server.data, SECRETS), set())
        # Sealed and indexed, too.
        for _ in range(3):
            self.send_everything(server)
        self.wait_until(lambda: any(
            segment["sealed"] for segment in server.get("/api/v1/segments")["segments"]))
        self.assertEqual(server.stop(), 0)
        self.assertEqual(self.files_that_hold(server.data, SECRETS), set())
        self.assertIn("[redacted]", driver.run("docket", "search", "log:activity", "--limit", 20,
                                               "--data", server.data, "-o", "json").stdout)
        self.assertEqual(driver.run("docket", "verify", "--data", server.data).returncode, 0)

    def test_without_rules_all_is_stored_as_it_comes_and_a_reload_brings_them(self):
        server = self.start(config="[segment]\nrows = 300\n")
        self.send_everything(server)
        held = self.files_that_hold(server.data, SECRETS)
        self.assertEqual({secret for _, secret in held}, set(SECRETS))
        self.assertTrue(any(name.endswith(".hot") for name, _ in held), held)
        before = len(server.log())
        (self.directory / "data.toml").write_text(CONFIG)
        server.process.send_signal(signal.SIGHUP)
        self.wait_until(lambda: "configuration reloaded" in server.log()[before:])
        self.assertEqual(server.post([driver.event(payload={"pin": "after-the-reload"})])[0], 200)
        self.assertEqual(self.files_that_hold(server.data, ["after-the-reload"]), set())


class SenderRedactionTest(RedactionTest):
    """The same by who sends: neither the network nor any file beyond the sender's has a secret."""

    # Those of the parent are of the server's rules.
    test_no_file_holds_a_secret = None
    test_without_rules_all_is_stored_as_it_comes_and_a_reload_brings_them = None

    def setUp(self):
        super().setUp()
        self.rules = self.directory / "rules.toml"
        self.rules.write_text(CONFIG.partition("[segment]")[0])
        self.lines = list(events())
        self.file = self.directory / "events.ndjson"
        self.file.write_text("".join(line + "\n" for line in self.lines))

    def test_a_spool_of_forward_and_what_it_sends_hold_none(self):
        ports = driver.free_ports(2)
        state = self.directory / "state"
        flags = ("forward", self.file, "--state", state, "--ingest", f"127.0.0.1:{ports[0]}")
        forward = self.spawn("docket", *flags, "--redact", self.rules)

        def spooled():
            return b"".join(path.read_bytes() for path in state.glob("*.spool"))

        self.wait_until(lambda: spooled().count(b"Thing") >= len(list(payloads())))
        self.wait_until(lambda: b"saw [redacted]" in spooled())
        forward.kill()
        forward.wait()
        self.assertEqual([s for s in SECRETS if s.encode() in spooled()], [])
        server = self.start(ingest_port=ports[0], http_port=ports[1])
        driver.run("docket", *flags, "--once", "--redact", self.rules)
        self.assertEqual(server.count(), len(self.lines))
        self.assertEqual(self.files_that_hold(server.data, SECRETS), set())

    def test_an_import_sends_none_and_other_rules_make_it_another_file(self):
        server = self.start()
        for known in (0, len(self.lines)):
            done = server.docket("import", self.file, "--redact", self.rules)
            self.assertEqual(f"{known} known" in done.stdout, known > 0, done.stdout)
        self.assertEqual(self.files_that_hold(server.data, SECRETS), set())
        server.docket("import", self.file)
        self.assertEqual(server.count(), 2 * len(self.lines))
        self.assertNotEqual(self.files_that_hold(server.data, SECRETS), set())

    def test_rules_that_are_none_send_nothing(self):
        server = self.start()
        self.rules.write_text("[redact]\nkeys = []\n")
        for command in (("import",), ("forward", "--state", self.directory / "state", "--once")):
            done = server.docket(command[0], self.file, *command[1:], "--redact", self.rules,
                                 check=False)
            self.assertNotEqual(done.returncode, 0)
            self.assertIn("no keys and no patterns", done.stderr)
        self.assertEqual(server.count(), 0)


if __name__ == "__main__":
    unittest.main()
