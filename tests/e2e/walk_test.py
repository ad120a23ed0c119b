"""An incident from the first signal to the hand-over, by the inspector alone: golden outputs.

Each command is asked of the server and of its directory, and must write what stands in
golden/walk-NAME.txt. DOCKET_GOLDEN=write writes these files.
"""

import json
import os
import pathlib
import re
import unittest

import driver
from driver import event

GOLDEN = pathlib.Path(__file__).resolve().parent / "golden"
ANA = ("user", "17", "Ana Lima")
ROOT = ("admin", "9", "Rui Costa")
TOKEN = ("api_token", "tok_4f1c", "nightly sync")
HOME = {"ip": "198.51.100.23", "session": "s-ana"}
AWAY = {"ip": "203.0.113.66"}
INSIDE = {**AWAY, "session": "s-9c2e"}
DAY = "2026-04-28T"


def at(clock, *arguments, **more):
    return event(*arguments, ts=f"{DAY}{clock}Z", **more)


def diff(field, old, new):
    return {"changes": [{"field": field, "old": old, "new": new}]}


def incident():
    """A night in which somebody guesses an administrator's password."""
    deleted = [{"type": "Contact", "id": str(i)} for i in range(1, 20)]
    sign_in = {"log": "authentication"}
    events = [
        at("01:10:00", "SIGN_IN", ("User", "17"), ANA, **sign_in, **HOME),
        at("01:12:30", "CREATE", ("List", "5", "Newsletter"), ANA, **HOME,
           payload={"before": {}, "after": {"name": "Newsletter", "double_opt_in": True}}),
        at("01:15:00", "IMPORT", ("List", "5", "Newsletter"), ANA, affected=1200, **HOME),
        at("01:20:00", "EDIT", ("List", "5", "Newsletter"), ANA, **HOME,
           payload=diff("double_opt_in", True, False)),
        at("01:30:00", "SIGN_OUT", ("User", "17"), ANA, **sign_in, **HOME),
        at("02:00:00", "EXPORT", ("Segment", "3", "Active"), TOKEN, log="api",
           ip="198.51.100.80"),
    ]
    events += [at(f"02:5{i}:00", "SIGN_IN", ("Administrator", "9"), ROOT, **sign_in,
                  outcome="failure", reason="wrong_password", **AWAY) for i in range(5, 9)]
    events += [
        at("02:59:00", "SIGN_IN", ("Administrator", "2"), ("admin", "2", "Lea Roth"), **sign_in,
           outcome="denied", reason="locked", **AWAY),
        at("03:01:00", "SIGN_IN", ("Administrator", "9"), ROOT, **sign_in, **INSIDE),
        at("03:02:00", "CONFIGURE", ("SendingNode", "7", "mta-7"), ROOT, **INSIDE,
           payload=diff("hourly_limit", 5000, 500000)),
        at("03:02:40", "CREATE", ("ApiToken", "tok_b07e", "backup"), ROOT, **INSIDE),
        at("03:03:00", "DELETE", ("Contact",), ROOT, affected=19, related=deleted, **INSIDE),
        at("03:04:00", "EXPORT", ("List", "5", "Newsletter"), ("api_token", "tok_b07e", "backup"),
           log="api", outcome="denied", reason="not_permitted", **AWAY),
        at("03:05:30", "EDIT", ("List", "5", "News<letter>"), ROOT, **INSIDE,
           payload={"before": {"name": "Newsletter", "double_opt_in": False},
                    "after": {"name": "News<letter>", "double_opt_in": False}}),
        at("03:06:00", "SIGN_OUT", ("Administrator", "9"), ROOT, **sign_in, **INSIDE),
    ]
    events += [at(f"03:1{i}:00", verb, ("Contact", str(100 + i)), ("system", "mta-7"),
                  log="campaign") for i in range(5) for verb in ("SENT", "DELIVERED")]
    return events


NIGHT = "since:2026-04-28T00:00 until:2026-04-28T06:00"
INTRUDER = "actor:admin:9 ip:203.0.113.66"

WALK = {
    # 1. A signal: something failed more than usual. When, where, whose?
    "1-histogram": ("histogram", f"outcome:failure,denied {NIGHT}", "--every", "15m", "--by",
                    "reason"),
    "1-report-failures": ("report", "failures", NIGHT),
    # 2. Filter: who is behind that address, and what else came from there?
    "2-facets": ("facets", f"ip:203.0.113.66 {NIGHT}", "--by", "actor,verb,outcome,log"),
    "2-search": ("search", f"{INTRUDER} -verb:SIGN_IN,SIGN_OUT {NIGHT}"),
    "2-explain": ("explain", f"{INTRUDER} -verb:SIGN_IN,SIGN_OUT {NIGHT}"),
    # 3. Trace: the whole session, one entry in full, all that happened to one object.
    "3-story": ("story", "activity:4"),
    "3-show": ("show", "activity:4"),
    "3-history": ("history", "list:5"),
    "3-history-of-a-contact": ("history", "Contact:7"),
    # 4. The evidence.
    "4-export": ("export", f"session:s-9c2e {NIGHT}", "-o", "csv"),
    # 5. Hand over.
    "5-report-access": ("report", "access", NIGHT),
    "5-report-activity": ("report", "activity", NIGHT),
    "5-report-handover": ("report", "handover", NIGHT),
}


class Walk(driver.EndToEnd):
    def setUp(self):
        super().setUp()
        self.server = self.start()
        events = incident()
        answers = self.server.send_ndjson(events)
        self.assertEqual(answers[-1], {"durable": len(events)})

    def test_every_step_of_the_walk(self):
        for name, arguments in WALK.items():
            with self.subTest(name):
                by_server = self.server.docket(*arguments, "--utc").stdout
                by_data = self.server.docket_data(*arguments, "--utc").stdout
                told = [re.sub(r"(?m)^(  received  ).*$", r"\1(when it came in)", text)
                        for text in (by_server, by_data)]
                if name == "2-explain":
                    # What was in a cache need not be read again.
                    told = [re.sub(r"[0-9.]+ (B|KiB) from files", "… from files", t) for t in told]
                self.assertEqual(told[0], told[1])
                path = GOLDEN / f"walk-{name}.txt"
                if os.environ.get("DOCKET_GOLDEN") == "write":
                    path.write_bytes(told[0].encode())
                self.assertEqual(told[0].encode(), path.read_bytes())

    def test_programs_get_the_same_facts(self):
        def both(*arguments):
            texts = [ask(*arguments, "-o", "json").stdout
                     for ask in (self.server.docket, self.server.docket_data)]
            self.assertEqual(texts[0], texts[1])
            return json.loads(texts[0])

        story = both("story", "activity:4")
        self.assertEqual((story["signed_in"], story["signed_out"]),
                         ("authentication:8", "authentication:9"))
        self.assertEqual(len(story["events"]), 12)
        self.assertEqual(self.server.docket("search", story["query"], "--oldest", "-o",
                                            "ndjson").stdout.splitlines(),
                         self.server.docket("story", "activity:4", "-o",
                                            "ndjson").stdout.splitlines())
        history = both("history", "List:5")
        self.assertEqual([e["verb"] for e in history["events"]],
                         ["CREATE", "IMPORT", "EDIT", "EXPORT", "EDIT"])
        fields = {f["field"]: f for f in history["fields"]}
        self.assertEqual(fields["name"]["value"], "News<letter>")
        self.assertEqual(fields["name"]["actor"], "admin:9")
        self.assertEqual(fields["double_opt_in"]["value"], False)
        self.assertEqual(fields["double_opt_in"]["changes"], 2)
        report = both("report", "handover", NIGHT)
        self.assertEqual(report["since"], f"{DAY}00:00:00Z")
        for section in report["sections"]:
            self.assertIn("gaps", section["answer"])
            self.server.docket("count", section["query"])

    def test_a_story_keeps_what_is_nearest_to_its_event(self):
        short = self.server.docket("story", "activity:4", "--limit", 3, "-o", "ndjson")
        self.assertEqual([json.loads(line)["verb"] for line in short.stdout.splitlines()],
                         ["SIGN_IN", "CONFIGURE", "CREATE"])
        self.assertIn("--limit", short.stderr)

    def test_an_object_that_nothing_is_known_of(self):
        for form, expected in (("table", ""), ("ndjson", "")):
            answer = self.server.docket("history", "List:404", "-o", form)
            self.assertEqual(answer.stdout, expected)
            self.assertIn("nothing is recorded of List:404", answer.stderr)
        empty = json.loads(self.server.docket("history", "List:404", "-o", "json").stdout)
        self.assertEqual((empty["events"], empty["fields"], empty["gaps"]), ([], [], []))
        # An id that looks like it, and a name that is it, are other objects.
        self.server.send_ndjson([event("EDIT", ("Domain", "List:404", "")),
                                 event("EDIT", ("Domain", "1", "List:404"))])
        self.assertEqual(self.server.docket("history", "List:404").stdout, "")

    def test_a_report_of_all_times_is_whole_and_one_of_nobody_is_empty(self):
        for report in ("activity", "failures"):
            for query in ("since:1700-01-01", "until:9999-12-31", "since:0001-01-01",
                          "on:1999-01-01"):
                text = self.server.docket("report", report, query).stdout
                self.assertIn("The question behind it all", text)
                self.assertNotRegex(text, r"(?m)Z +0 *$")
                made = json.loads(self.server.docket("report", report, query, "-o", "json").stdout)
                when = [s["answer"] for s in made["sections"] if s["title"] == "When"]
                self.assertLess(len(when[0]["buckets"]), 1000)
        silent = driver.run("docket", "report", "handover", "--server", "http://127.0.0.1:1",
                            check=False)
        self.assertEqual((silent.returncode, silent.stdout), (1, ""))

    def test_what_cannot_be_asked_is_said(self):
        for arguments, code, words in (
                (("history", "List"), 2, "TYPE:ID"),
                (("story", "activity"), 2, "LOG:SEQ"),
                (("story", "activity:999"), 1, "no such event"),
                (("story", "activity:4", "--window", "soon"), 2, "--window"),
                (("report", "weather"), 2, "handover|activity|access|failures"),
                (("report", "access", "vreb:SEND"), 2, "^"),
                (("explain", "(verb:SEND"), 2, "^")):
            wrong = self.server.docket(*arguments, check=False)
            self.assertEqual(wrong.returncode, code, arguments)
            self.assertIn(words, wrong.stderr)
            self.assertEqual(wrong.stdout, "")


if __name__ == "__main__":
    unittest.main()
