"""Events come in over every protocol, and come out as they were sent."""

import contextlib
import http.client
import json
import socket
import time
import unittest
import urllib.error
import urllib.request

import driver
from driver import event

VERBS = (
    "CREATE EDIT UPDATE DELETE SCHEDULE SEND PAUSE RESUME SUPPRESS UNSUPPRESS ACTIVATE DEACTIVATE "
    "CONFIGURE IMPORT EXPORT SIGN_IN SIGN_OUT PASSWORD_CHANGE MFA_ENROL SENT DELIVERED BOUNCED "
    "OPENED CLICKED COMPLAINED UNSUBSCRIBED"
).split()
TYPES = (
    "Contact List CustomField Segment Broadcast Drip Trigger SendingNode SendingDomain "
    "BounceAddress BounceRule WebForm Suppression ApiToken ApiRole AdminRole Administrator User "
    "Domain Spaceship"
).split()


class Capture(driver.EndToEnd):
    def test_a_server_without_configuration_takes_the_first_event_at_once(self):
        server = self.start()
        before = time.monotonic()
        answers = server.send_ndjson([event()])
        self.assertEqual(answers[-1], {"durable": 1})
        self.assertEqual(server.count(), 1)
        # Visible when acknowledged; a generous bound, the machine may be busy.
        self.assertLess(time.monotonic() - before, 30)

    def test_every_verb_on_every_type_is_found_exactly_once(self):
        server = self.start()
        events = [
            event(verb=verb, target=(kind, f"{i}"))
            for verb in VERBS
            for i, kind in enumerate(TYPES)
        ]
        self.assertEqual(server.send_ndjson(events)[-1], {"durable": len(events)})
        self.assertEqual(server.count(), len(events))
        for verb in VERBS:
            same = ("EDIT", "UPDATE") if verb in ("EDIT", "UPDATE") else (verb,)
            for kind in TYPES:
                self.assertEqual(server.count(f"verb:{verb} target.type:{kind}"), len(same))
        facets = server.get("/api/v1/facets", q="", by="target.type", top=100)["facets"]
        types = facets["target.type"]
        self.assertIn({"value": "Spaceship", "count": len(VERBS)}, types["values"])
        self.assertEqual(types["distinct"], len(TYPES))

    def test_every_field_comes_back_as_it_was_sent(self):
        server = self.start()
        sent = {
            "log": "campaign",
            "ts": "2026-05-01T14:22:03.123456789+02:00",
            "actor": {"kind": "api_token", "id": "tok_1", "name": "Zoë \"Z\"", "role": "sender"},
            "verb": "send",
            "target": {"type": "Broadcast", "id": "9", "name": "Frühling\n2026"},
            "related": [
                {"type": "List", "id": "4", "name": "News"},
                {"type": "Segment", "id": "5"},
            ],
            "affected": 18446744073709551615,
            "ip": "2001:DB8:0:0:0:0:0:1",
            "outcome": "failure",
            "reason": "rate_limited",
            "session": "s-1",
            "request": "r-1",
            "payload": {"x": 1},
        }
        text = json.dumps(sent).replace('{"x": 1}', '{ "x" :  1.50, "ä": null }')
        self.assertEqual(server.send_ndjson([text])[-1], {"durable": 1})
        status, _, body = server.request("GET", "/api/v1/events/campaign/1")
        self.assertEqual(status, 200)
        self.assertIn('"payload":{ "x" :  1.50, "ä": null }', body.decode())
        got = json.loads(body)
        self.assertEqual(got.pop("seq"), 1)
        self.assertLess(abs(got.pop("received") - time.time_ns()), 3600 * 10**9)
        got.pop("node")
        got.pop("payload")
        sent.pop("payload")
        sent.update(ts="2026-05-01T12:22:03.123456789Z", verb="SEND", ip="2001:db8::1")
        self.assertEqual(got, sent)

    def test_a_bad_line_is_named_and_its_neighbours_are_stored(self):
        server = self.start()
        answers = server.send_ndjson(
            [event(), '{"verb":"EDIT"}', "not json", event(verb=""), event(verb="DELETE")]
        )
        errors = {a["line"]: a["error"] for a in answers if "line" in a}
        self.assertEqual(sorted(errors), [2, 3, 4])
        self.assertIn("verb", errors[4])
        self.assertEqual(answers[-1], {"durable": 5})
        self.assertEqual(server.count(), 2)

    def test_unknown_members_are_rejected_by_name(self):
        server = self.start()
        answers = server.send_ndjson([event(colour="red")])
        self.assertIn("colour", answers[0]["error"])
        self.assertEqual(server.count(), 0)

    def test_http_takes_arrays_and_lines_and_says_what_it_did(self):
        server = self.start()
        status, answer = server.post([event(), event(verb="DELETE")])
        self.assertEqual(status, 200)
        self.assertEqual((answer["accepted"], answer["rejected"]), (2, []))
        self.assertEqual((answer["first_seq"], answer["last_seq"]), (1, 2))
        status, answer = server.post([event(), event(verb="x" * 65)])
        self.assertEqual((status, answer["accepted"]), (207, 1))
        self.assertEqual(answer["rejected"][0]["index"], 1)
        status, answer = server.post([event(verb="")])
        self.assertEqual(status, 400)
        status, answer = server.post([17, event(), None])
        self.assertEqual((status, answer["accepted"]), (207, 1))
        self.assertEqual([r["index"] for r in answer["rejected"]], [0, 2])
        body = json.dumps(event()) + "\n" + json.dumps(event()) + "\n"
        status, _, _ = server.request("POST", "/api/v1/events", body)
        self.assertEqual(status, 200)
        self.assertEqual(server.count(), 6)

    def test_one_log_too_many_is_told_once_and_clearly(self):
        server = self.start()
        # The system's own and the four preloaded ones are among the 64.
        answers = server.send_ndjson([event(log=f"log-{i}") for i in range(60)])
        self.assertEqual(server.count("log:*,activity -log:docket"), 59)
        for error in (answers[0]["error"],
                      server.post([event(log="another")])[1]["rejected"][0]["error"]):
            self.assertTrue(error.startswith("log: is one too many; there are at most 64"), error)

    def test_a_body_too_large_is_refused_in_words(self):
        server = self.start()
        body = b" " * (17 << 20)
        request = urllib.request.Request(server.url + "/api/v1/events", data=body, method="POST")
        with self.assertRaises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(request, timeout=driver.ANSWER_SECONDS)
        with refused.exception as answer:
            self.assertEqual(answer.code, 413)
            self.assertIn("at most", json.loads(answer.read())["detail"])
        # Nobody but its sender would know of it otherwise.
        self.wait_until(lambda: server.count("log:docket verb:REJECT actor:node:http") == 1)
        refused = server.search("log:docket verb:REJECT")[0]
        self.assertTrue(refused["reason"].startswith("413: at most"), refused)

    def test_an_idempotency_key_makes_a_retry_harmless(self):
        server = self.start()
        for _ in range(3):
            status, answer = server.post([event(), event()], {"Idempotency-Key": "k-1"})
            self.assertEqual((status, answer["accepted"]), (200, 2))
            self.assertEqual((answer["first_seq"], answer["last_seq"]), (1, 2))
        status, problem = server.post([event()], {"Idempotency-Key": "k-1"})
        self.assertEqual((status, problem["status"]), (422, 422))
        body = json.dumps([event()]).encode()
        connection = http.client.HTTPConnection(*server.http, timeout=driver.ANSWER_SECONDS)
        with contextlib.closing(connection):
            connection.putrequest("POST", "/api/v1/events")
            for name, value in (("Idempotency-Key", "k-2"), ("Idempotency-Key", "k-3"),
                                ("Content-Length", str(len(body)))):
                connection.putheader(name, value)
            connection.endheaders(body)
            answer = connection.getresponse()
            self.assertEqual(answer.status, 400)
            self.assertIn("given more than once", json.loads(answer.read())["detail"])
        self.assertEqual(server.count("node:http"), 2)
        self.assertEqual(server.count(), 2)
        self.assertEqual({node["node"] for node in server.get("/api/v1/nodes")["nodes"]
                          if node["log"] == "activity"}, {"http"})

    def test_native_batches_of_the_generator_arrive_whole(self):
        server = self.start(config=driver.SMALL_SEGMENTS)
        ending = "2026-05-01T00:00:00Z"
        report = json.loads(
            driver.load("send", "--server", f"127.0.0.1:{server.ingest[1]}", "--events", 60000,
                        "--end", ending, "--connections", 2, "--json").stdout
        )
        self.assertEqual((report["durable"], report["rejected"]), (60000, 0))
        checked = driver.load("check", "--server", server.url, "--events", 60000, "--end", ending,
                              "--filters", 100)
        self.assertIn("0 mismatches", checked.stdout)

    def test_ndjson_of_the_generator_arrives_whole(self):
        server = self.start(config=driver.SMALL_SEGMENTS)
        ending = "2026-05-01T00:00:00Z"
        driver.load("send", "--server", f"127.0.0.1:{server.ingest[1]}", "--events", 30000,
                    "--end", ending, "--protocol", "ndjson")
        checked = driver.load("check", "--data", server.data, "--events", 30000, "--end", ending,
                              "--filters", 100)
        self.assertIn("0 mismatches", checked.stdout)

    def test_garbage_on_both_ports_harms_nobody(self):
        server = self.start()
        garbage = [b"\x00" * 100, b"GET / HTTP/1.1\r\n\r\n", b"DKT1" + b"\xff" * 4000, b"DKT",
                   b"{" * 100000, b"\xff\xfe\xfd", b"DKT1" + bytes(range(256)) * 16, b""]
        for data in garbage:
            server.exchange(data)
            with socket.create_connection(server.http, timeout=driver.ANSWER_SECONDS) as raw:
                raw.sendall(data)
                raw.shutdown(socket.SHUT_WR)
                while raw.recv(65536):
                    pass
        self.assertEqual(server.send_ndjson([event()])[-1], {"durable": 1})
        self.assertEqual(server.count(), 1)
        self.assertEqual(server.stop(), 0)


if __name__ == "__main__":
    unittest.main()
