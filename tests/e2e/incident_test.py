"""The walk of an operator through an incident, by the inspector alone: who deleted the contacts?"""

import csv
import io
import json
import unittest

import driver
from driver import event


class Incident(driver.EndToEnd):
    def setUp(self):
        super().setUp()
        self.server = self.start()
        driver.load("send", "--server", f"127.0.0.1:{self.server.ingest[1]}", "--events", 20000,
                    "--end", "2026-05-01T00:00:00Z")
        intruder = ("admin", "999", "Mallory M.")
        common = {"ip": "203.0.113.66", "session": "s-incident"}
        deleted = [{"type": "Contact", "id": str(i)} for i in range(1, 20)]
        answers = self.server.send_ndjson([
            event("SIGN_IN", ("Administrator", "999"), intruder, log="authentication",
                  outcome="failure", reason="mfa_mismatch", ts="2026-04-28T03:00:00Z", **common),
            event("SIGN_IN", ("Administrator", "999"), intruder, log="authentication",
                  ts="2026-04-28T03:01:00Z", **common),
            event("CONFIGURE", ("SendingNode", "7", "mta-7"), intruder, ts="2026-04-28T03:02:00Z",
                  payload={"changes": [{"field": "hourly_limit", "old": 5000, "new": 500000}]},
                  **common),
            event("DELETE", ("Contact", "", ""), intruder, ts="2026-04-28T03:03:00Z",
                  affected=19, related=deleted, **common),
            event("EXPORT", ("List", "12", "Customers"), intruder, log="api", outcome="denied",
                  reason="not_permitted", ts="2026-04-28T03:04:00Z", **common),
        ])
        self.assertEqual(answers[-1], {"durable": 5})

    def test_from_a_symptom_to_the_evidence(self):
        night = "since:2026-04-28T02:55 until:2026-04-28T03:10"
        # 1. A contact is gone. What happened to it?
        history = self.server.docket("search", "target:Contact:7", "--oldest", "--utc").stdout
        self.assertIn("DELETE", history)
        self.assertIn("Mallory M.", history)
        # 2. What else did this actor do that night? The facets say it before a row is read.
        facets = json.loads(self.server.docket(
            "facets", f"actor:admin:999 {night}", "--by", "verb,outcome,log,ip", "-o",
            "json").stdout)
        verbs = {v["value"]: v["count"] for v in facets["facets"]["verb"]["values"]}
        self.assertEqual(verbs, {"SIGN_IN": 2, "CONFIGURE": 1, "DELETE": 1, "EXPORT": 1})
        # 3. Narrow it down to one entry, and see its diff.
        found = self.server.docket("search", f"actor:admin:999 verb:CONFIGURE {night}", "-o",
                                   "ndjson").stdout.splitlines()
        self.assertEqual(len(found), 1)
        entry = json.loads(found[0])
        shown = self.server.docket("show", f"{entry.get('log', 'activity')}:{entry['seq']}").stdout
        for word in ("hourly_limit", "5000", "500000", "203.0.113.66", "mta-7"):
            self.assertIn(word, shown)
        # 4. The session around it, across the surfaces.
        story = self.server.docket("search", f"session:{entry['session']}", "--oldest", "-o",
                                   "ndjson").stdout.splitlines()
        told = [(e.get("log", "activity"), e["verb"]) for e in map(json.loads, story)]
        self.assertEqual(told, [("authentication", "SIGN_IN"), ("authentication", "SIGN_IN"),
                                ("activity", "CONFIGURE"), ("activity", "DELETE"),
                                ("api", "EXPORT")])
        # 5. The evidence as CSV: exactly the filtered rows.
        query = f"session:s-incident {night}"
        count = int(self.server.docket("count", query).stdout.split()[0])
        rows = list(csv.DictReader(io.StringIO(
            self.server.docket("export", query, "-o", "csv").stdout)))
        self.assertEqual(len(rows), count)
        self.assertEqual([row["verb"] for row in rows],
                         ["SIGN_IN", "SIGN_IN", "CONFIGURE", "DELETE", "EXPORT"])
        self.assertEqual(rows[3]["affected"], "19")
        # And asking is on the record, too; it is written behind the answer.
        self.wait_until(lambda: self.server.count("log:docket verb:EXPORT") == 1)


if __name__ == "__main__":
    unittest.main()
