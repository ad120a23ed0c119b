"""Tokens through the real programs: roles, scopes, reload, records."""

import contextlib
import hashlib
import json
import re
import signal
import socket
import unittest

import driver

SECRETS = {"writer": "w-secret", "reader": "r-secret", "scoped": "s-secret", "ops": "o-secret",
           "admin": "a-secret"}
QUESTIONS = [
    "/api/v1/search", "/api/v1/count", "/api/v1/facets", "/api/v1/histogram?every=1d",
    "/api/v1/explain", "/api/v1/events/activity/1", "/api/v1/export",
]
STORE = ["/api/v1/logs", "/api/v1/segments", "/api/v1/stats", "/api/v1/nodes",
         "/api/v1/retention", "/metrics"]


def token(name, role, more=""):
    digest = hashlib.sha256(SECRETS.get(name, name).encode()).hexdigest()
    return f'[[token]]\nname = "{name}"\nsha256 = "{digest}"\nrole = "{role}"\n{more}'


TOKENS = (token("writer", "writer") + token("reader", "reader")
          + token("scoped", "reader", 'filter = "verb:EDIT"\n') + token("ops", "operator")
          + token("admin", "admin"))


def event(number, verb="EDIT"):
    return {"ts": f"2026-05-01T00:00:{number:02}Z", "actor": {"kind": "user", "id": "1"},
            "verb": verb, "target": {"type": "Contact", "id": str(number)}}


def bearer(name):
    return {"Authorization": f"Bearer {SECRETS[name]}"}


class Access(driver.EndToEnd):
    def start(self, config=TOKENS):
        server = driver.Server(self.directory / "data", config=config)
        self.addCleanup(server.__exit__)
        return server

    def status(self, server, path, name=None, method="GET", body=None):
        headers = bearer(name) if name else {}
        return server.request(method, path, body, headers)[0]

    def ask(self, server, path, name):
        status, _, body = server.request("GET", path, headers=bearer(name))
        self.assertEqual(status, 200, body)
        return json.loads(body)

    def reload(self, server, config):
        """SIGHUP, and what the log says of it."""
        before = len(server.log())
        (self.directory / "data.toml").write_text(config)
        server.process.send_signal(signal.SIGHUP)
        ends = ("configuration reloaded", "configuration is unchanged")
        self.wait_until(lambda: any(end in server.log()[before:] for end in ends))
        return server.log()[before:]

    def test_each_role_does_its_part_and_nothing_else(self):
        server = self.start()
        post = json.dumps([event(1), event(2, "DELETE")])
        self.assertEqual(self.status(server, "/api/v1/events", "writer", "POST", post), 200)
        expected = {
            "writer": (403, 403, 200), "reader": (200, 403, 403), "scoped": (200, 403, 403),
            "ops": (403, 200, 403), "admin": (200, 200, 200), None: (401, 401, 401),
        }
        for name, (question, store, send) in expected.items():
            for path in QUESTIONS:
                self.assertEqual(self.status(server, path, name), question, (name, path))
            for path in STORE:
                self.assertEqual(self.status(server, path, name), store, (name, path))
            sent = self.status(server, "/api/v1/events", name, "POST", post)
            self.assertEqual(sent, send, name)
            logs = server.request("POST", "/v1/logs", '{"resourceLogs":[]}', {
                "Content-Type": "application/json", **(bearer(name) if name else {})})
            self.assertEqual(logs[0], send, name)
            for path in ("/healthz", "/readyz"):
                self.assertEqual(self.status(server, path, name), 200)

    def test_a_refusal_is_a_problem_document_that_says_what_is_taken(self):
        server = self.start()
        status, headers, body = server.request("GET", "/api/v1/count")
        self.assertEqual(status, 401)
        self.assertTrue(headers["WWW-Authenticate"].startswith("Bearer"))
        self.assertEqual(headers["Content-Type"], "application/problem+json")
        self.assertEqual(json.loads(body)["status"], 401)
        status, headers, body = server.request("GET", "/api/v1/stats", headers=bearer("reader"))
        self.assertEqual(status, 403)
        self.assertEqual(json.loads(body)["status"], 403)

    def test_a_scoped_reader_meets_its_events_only(self):
        server = self.start()
        server.post([event(1), event(2, "DELETE"), event(3)], bearer("writer"))
        self.assertEqual(self.ask(server, "/api/v1/count", "scoped")["count"], 2)
        self.assertEqual(self.ask(server, "/api/v1/count?q=verb:DELETE", "scoped")["count"], 0)
        self.assertEqual(self.ask(server, "/api/v1/explain", "scoped")["count"], 2)
        facets = self.ask(server, "/api/v1/facets?by=verb&others=1&q=verb:DELETE", "scoped")
        self.assertEqual(facets["facets"]["verb"]["values"], [{"value": "EDIT", "count": 2}])
        buckets = self.ask(server, "/api/v1/histogram?every=1d", "scoped")["buckets"]
        self.assertEqual(sum(bucket["count"] for bucket in buckets), 2)
        found = self.ask(server, "/api/v1/search", "scoped")["events"]
        self.assertEqual([e["seq"] for e in found], [3, 1])
        self.assertEqual(self.status(server, "/api/v1/events/activity/1", "scoped"), 200)
        self.assertEqual(self.status(server, "/api/v1/events/activity/2", "scoped"), 404)
        _, _, exported = server.request("GET", "/api/v1/export?format=ndjson",
                                        headers=bearer("scoped"))
        self.assertEqual(exported.count(b"\n"), 2)
        self.assertNotIn(b"DELETE", exported)

    def test_reads_and_refusals_are_recorded_by_name(self):
        server = self.start()
        self.ask(server, "/api/v1/count", "reader")
        self.status(server, "/api/v1/stats", "reader")
        for _ in range(5):
            self.status(server, "/api/v1/count")

        def recorded(query):
            return self.ask(server, "/api/v1/count?q=log:docket+" + query, "admin")["count"]

        for query in ("verb:READ+actor:api_token:reader",
                      "verb:REJECT+actor:api_token:reader+outcome:denied",
                      "verb:REJECT+actor:address:127.0.0.1+outcome:denied"):
            self.wait_until(lambda: recorded(query) > 0)
            # Repeats within the minute are counted, not written.
            self.assertEqual(recorded(query), 1, query)

    def test_a_reload_takes_all_tokens_or_none(self):
        server = self.start()
        self.assertEqual(self.status(server, "/api/v1/count", "reader"), 200)
        said = self.reload(server, token("reader", "reader") + token("late", "captain"))
        self.assertIn("token.role: must be writer", said)
        for name in ("reader", "admin"):
            self.assertEqual(self.status(server, "/api/v1/count", name), 200)
        self.reload(server, token("reader", "operator") + token("admin", "admin"))
        self.assertEqual(self.status(server, "/api/v1/count", "reader"), 403)
        self.assertEqual(self.status(server, "/api/v1/stats", "reader"), 200)
        self.assertEqual(self.status(server, "/api/v1/count", "scoped"), 401)
        recorded = "/api/v1/search?q=log:docket+verb:CONFIGURE"
        self.wait_until(lambda: len(self.ask(server, recorded, "admin")["events"]) == 2)
        changes = self.ask(server, recorded, "admin")["events"]
        self.assertEqual([e["outcome"] for e in changes], ["success", "failure"])
        self.assertNotIn(hashlib.sha256(b"r-secret").hexdigest(), json.dumps(changes))

    def test_a_reload_that_loses_every_token_is_refused(self):
        server = self.start()
        said = self.reload(server, "[log]\nlevel = \"debug\"\n")
        self.assertIn("configuration is unchanged", said)
        self.assertIn("to ask nobody for one takes a restart", said)
        self.assertEqual(self.status(server, "/api/v1/count", None), 401)
        self.assertEqual(self.status(server, "/api/v1/count", "reader"), 200)

    def test_a_tail_ends_when_its_token_is_removed(self):
        server = self.start()
        server.post([event(1)], bearer("writer"))
        with socket.create_connection(server.http, timeout=driver.ANSWER_SECONDS) as tail:
            tail.sendall(b"GET /api/v1/tail?n=1 HTTP/1.1\r\nHost: localhost\r\n"
                         b"Authorization: Bearer r-secret\r\n\r\n")
            text = b""
            while b"\nid: activity:1," not in text:
                piece = tail.recv(65536)
                self.assertTrue(piece, text)
                text += piece
            self.reload(server, token("admin", "admin"))
            with contextlib.suppress(ConnectionError):
                while piece := tail.recv(65536):
                    text += piece
            self.assertTrue(text.endswith(b"0\r\n\r\n"))

    def test_senders_need_a_token_that_sends(self):
        server = self.start(TOKENS + token("api", "writer", 'logs = ["api"]\n'))
        line = json.dumps(event(1)) + "\n"

        def exchange(secret):
            shown = json.dumps({"token": secret}) + "\n" if secret else ""
            return server.exchange((shown + line).encode()).decode()

        for secret, why in ((None, "no token was shown"), ("x", "no token of this server"),
                            (SECRETS["reader"], "does not send")):
            self.assertIn(why, exchange(secret))
        self.assertIn('{"durable":2}', exchange(SECRETS["writer"]))
        self.assertIn("may not write to 'activity'", exchange("api"))
        self.assertEqual(self.ask(server, "/api/v1/count", "reader")["count"], 1)
        recorded = "/api/v1/count?q=log:docket+verb:REJECT+target:Ingest"
        self.wait_until(lambda: self.ask(server, recorded, "admin")["count"] == 3)

        path = self.directory / "events.ndjson"
        path.write_text(json.dumps(event(2)) + "\n")
        done = server.docket("import", path, check=False,
                             environment={"DOCKET_TOKEN": SECRETS["admin"]})
        self.assertEqual(done.returncode, 0, done.stderr)
        ingest = "%s:%d" % server.ingest
        refused = driver.run("docket", "import", path, "--ingest", ingest, check=False)
        self.assertEqual(refused.returncode, 1)
        self.assertIn("no token was shown", refused.stderr)
        driver.run("docket", "import", path, "--ingest", ingest,
                   environment={"DOCKET_TOKEN": SECRETS["writer"]})
        self.assertEqual(self.ask(server, "/api/v1/count", "reader")["count"], 2)

    def test_who_floods_is_held_up_and_slows_nobody_else(self):
        SECRETS["flood"] = "f-secret"
        server = self.start(TOKENS + token("flood", "writer", "events_per_second = 10\n"))
        events = json.dumps([event(n % 60) for n in range(600)])  # a minute's worth
        self.assertEqual(self.status(server, "/api/v1/events", "flood", "POST", events), 200)
        status, headers, body = server.request("POST", "/api/v1/events", events, bearer("flood"))
        self.assertEqual((status, json.loads(body)["type"]), (429, "urn:docket:problem:quota"))
        self.assertTrue(1 <= int(headers["Retry-After"]) <= 60)
        # The same owner's lines wait, and the others' do not.
        line = json.dumps(event(1)).encode() + b"\n"
        with socket.create_connection(server.ingest, timeout=driver.ANSWER_SECONDS) as flood:
            flood.sendall(b'{"token":"f-secret"}\n' + line)
            answers = b""
            while b'"durable":2' not in answers:  # what comes at once is taken before it is known
                answers += flood.recv(1000)       # whose it is
            flood.sendall(line)
            self.assertEqual(self.status(server, "/api/v1/events", "writer", "POST", events), 200)
            answer = server.exchange(b'{"token":"w-secret"}\n' + line)
            self.assertIn(b'"durable":2', answer)
            flood.settimeout(0.2)
            with self.assertRaises(TimeoutError):
                flood.recv(1000)
        metrics = server.request("GET", "/metrics", headers=bearer("ops"))[2].decode()
        self.assertRegex(metrics, r'docket_token_throttled_total\{token="flood"\} [1-9]')
        self.assertEqual(self.ask(server, "/api/v1/count", "admin")["count"], 1202)
        # A reload takes the limit away at once.
        self.reload(server, TOKENS + token("flood", "writer"))
        self.assertEqual(self.status(server, "/api/v1/events", "flood", "POST", events), 200)

    def test_the_load_generator_shows_a_token(self):
        server = self.start()
        path = self.directory / "token"
        path.write_text(SECRETS["writer"] + "\n")
        ingest = "%s:%d" % server.ingest
        for protocol in ("native", "ndjson"):
            flags = ("--events", "3000", "--connections", "3", "--protocol", protocol,
                     "--server", ingest)
            sent = driver.load("send", *flags, "--token-file", path)
            self.assertIn("3,000 events durable", sent.stdout)
            refused = driver.load("send", *flags, "--patience-ms", "1000", check=False)
            self.assertEqual(refused.returncode, 1)
            self.assertIn("no token was shown", refused.stderr)
        self.assertEqual(self.ask(server, "/api/v1/count", "reader")["count"], 6000)

    def test_a_token_made_by_docketd_lets_its_holder_in(self):
        made = driver.run("docketd", "--new-token", "fresh", "--role", "admin").stdout
        secret, _, table = made.partition("\n\n")
        self.assertRegex(secret, r"^dkt_[0-9a-f]{64}$")
        self.assertNotIn(secret, table)
        server = self.start(table)
        status, _, _ = server.request("GET", "/api/v1/stats",
                                      headers={"Authorization": f"Bearer {secret}"})
        self.assertEqual(status, 200)
        refused = driver.run("docketd", "--new-token", "a b", check=False)
        self.assertEqual(refused.returncode, 2)

    def test_the_configuration_is_printed_without_digests(self):
        path = self.directory / "docket.toml"
        path.write_text(TOKENS)
        printed = driver.run("docketd", "--config", path, "--print-config").stdout
        self.assertIn('name = "scoped"', printed)
        self.assertIn('filter = "verb:EDIT"', printed)
        self.assertIsNone(re.search(r"[0-9a-f]{64}", printed))

    def test_the_inspector_shows_its_token_and_says_what_is_missing(self):
        server = self.start()
        server.post([event(1), event(2, "DELETE")], bearer("writer"))
        path = self.directory / "token"
        path.write_text(SECRETS["scoped"] + "\n")
        self.assertEqual(server.docket("count", "--token-file", path).stdout, "1\n")
        said = server.docket("count", environment={"DOCKET_TOKEN": SECRETS["reader"]}).stdout
        self.assertEqual(said, "2\n")
        explained = server.docket("explain", "--token-file", path).stdout
        self.assertIn("beyond this token's filter", explained)
        for environment, words in (({}, "asks for a token"),
                                   ({"DOCKET_TOKEN": "x"}, "asks for a token"),
                                   ({"DOCKET_TOKEN": SECRETS["ops"]}, "does not suffice")):
            refused = server.docket("count", check=False, environment=environment)
            self.assertEqual(refused.returncode, 1)
            self.assertEqual(refused.stderr.count("\n"), 1, refused.stderr)
            self.assertIn(words, refused.stderr)


if __name__ == "__main__":
    unittest.main()
