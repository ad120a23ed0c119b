"""The HTTP API as a program sees it: every answer is as its OpenAPI description says."""

import gzip
import json
import re
import unittest
import urllib.parse

import driver
from driver import event

TYPES = {"object": dict, "array": list, "string": str, "integer": int, "boolean": bool,
         "null": type(None)}


class Description:
    def __init__(self, document):
        self.document = document

    def resolved(self, node):
        while "$ref" in node:
            target = self.document
            for part in node["$ref"].removeprefix("#/").split("/"):
                target = target[part]
            node = target
        return node

    def check(self, value, schema, place="$"):
        """Raises AssertionError where the value is not as the schema says. Knows what ours use."""
        schema = self.resolved(schema)
        known = {"type", "properties", "required", "additionalProperties", "items", "enum",
                 "description", "format", "minimum", "maximum", "pattern", "default", "maxLength"}
        if not set(schema) <= known:
            raise AssertionError(f"{place}: the test does not know {set(schema) - known}")
        types = schema.get("type", [])
        types = [types] if isinstance(types, str) else types
        fits = [t for t in types if isinstance(value, TYPES[t])
                and not (t == "integer" and isinstance(value, bool))]
        if types and not fits:
            raise AssertionError(f"{place}: {value!r} is not {types}")
        if "enum" in schema and value not in schema["enum"]:
            raise AssertionError(f"{place}: {value!r} is not of {schema['enum']}")
        if isinstance(value, int) and not schema.get("minimum", value) <= value:
            raise AssertionError(f"{place}: {value} is too small")
        if isinstance(value, str) and schema.get("format") == "date-time":
            if not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z", value):
                raise AssertionError(f"{place}: {value} is no time")
        if isinstance(value, list):
            for i, item in enumerate(value):
                self.check(item, schema["items"], f"{place}[{i}]")
        if isinstance(value, dict) and "properties" in schema:
            missing = set(schema.get("required", ())) - set(value)
            extra = set(value) - set(schema["properties"])
            if missing or extra and not schema["additionalProperties"]:
                raise AssertionError(f"{place}: lacks {missing}, has {extra}")
            for name, item in value.items():
                if name in schema["properties"]:
                    self.check(item, schema["properties"][name], f"{place}.{name}")
        elif isinstance(value, dict) and isinstance(schema.get("additionalProperties"), dict):
            for name, item in value.items():
                self.check(item, schema["additionalProperties"], f"{place}.{name}")


class Api(driver.EndToEnd):
    def setUp(self):
        super().setUp()
        self.server = self.start(config=driver.SMALL_SEGMENTS)
        driver.load("send", "--server", f"127.0.0.1:{self.server.ingest[1]}", "--events", 60000)
        self.document = self.server.get("/api/v1/openapi.json")
        self.api = Description(self.document)

    def answer(self, path, operation, **parameters):
        """Asks, and checks the answer against the description. (status, body)"""
        target = path.replace("{log}", "activity").replace("{seq}", str(parameters.pop("seq", 1)))
        if parameters:
            target += "?" + urllib.parse.urlencode(parameters)
        status, headers, body = self.server.request("GET", target)
        described = operation["responses"]
        self.assertIn(str(status), described, target)
        content = self.api.resolved(described[str(status)])["content"]
        kind = headers["Content-Type"].split(";")[0]
        self.assertIn(kind, content, target)
        if kind in ("application/json", "application/problem+json"):
            body = json.loads(body)
            self.api.check(body, content[kind]["schema"], target)
        return status, body

    def test_every_answer_is_as_described(self):
        questions = ("", "verb:DELETE", "log:docket", "actor.kind:admin since:30d", "nothing",
                     "(verb:EDIT", "vreb:EDIT")
        for path, operations in self.document["paths"].items():
            operation = operations.get("get")
            if operation is None or path == "/api/v1/tail":
                continue
            asked = [self.api.resolved(p) for p in operation.get("parameters", ())]
            examples = {p["name"]: p["example"] for p in asked
                        if p["in"] == "query" and "example" in p}
            required = {p["name"]: p["example"] for p in asked
                        if p["in"] == "query" and p.get("required")}
            self.answer(path, operation, **required)
            self.answer(path, operation, **examples)
            if path.startswith("/api/"):
                status, problem = self.answer(path, operation, nonsense=1)
                self.assertEqual((status, problem["type"]),
                                 (400, "urn:docket:problem:invalid_argument"), path)
            if "q" in examples:
                for question in questions:
                    status, body = self.answer(path, operation, **{**required, "q": question})
                    self.assertEqual(status, 400 if ":E" in question else 200, (path, question))
                    if status == 400:
                        self.assertIn("^", body["caret"])
                        self.assertEqual(body["type"], "urn:docket:problem:query_syntax")
        one = self.document["paths"]["/api/v1/events/{log}/{seq}"]["get"]
        self.assertEqual(self.answer("/api/v1/events/{log}/{seq}", one, seq=99999999)[0], 404)
        self.assertEqual(self.answer("/api/v1/events/{log}/{seq}", one, seq="x")[0], 400)

    def test_damage_is_answered_as_described(self):
        self.server.stop()
        segment = sorted(self.server.data.rglob("activity/*.seg"))[0]
        damaged = bytearray(segment.read_bytes())
        damaged[4096:300000] = b"\xff" * (300000 - 4096)
        segment.write_bytes(damaged)
        self.server = self.start(config=driver.SMALL_SEGMENTS)
        gaps = 0
        for path in ("search", "count", "facets", "explain", "segments"):
            path = f"/api/v1/{path}"
            question = {} if path.endswith("segments") else {"q": "verb:EDIT a"}
            _, body = self.answer(path, self.document["paths"][path]["get"], **question)
            gaps += len(body["gaps"])
        self.assertGreater(gaps, 0)

    def test_posted_events_are_answered_as_described(self):
        operation = self.document["paths"]["/api/v1/events"]["post"]
        for events, expected in (([event()], 200), ([event(), {}], 207), ([{}], 400), ("[", 400)):
            body = events if isinstance(events, str) else json.dumps(events)
            status, headers, answer = self.server.request("POST", "/api/v1/events", body)
            self.assertEqual(status, expected)
            content = self.api.resolved(operation["responses"][str(status)])["content"]
            kind = headers["Content-Type"].split(";")[0]
            self.api.check(json.loads(answer), content[kind]["schema"])
            for each in json.loads(body) if body != "[" else ():
                if each:
                    self.api.check(each, self.document["components"]["schemas"]["NewEvent"])

    def test_the_validator_finds_what_is_wrong(self):
        count = self.document["components"]["schemas"]["Count"]
        self.api.check({"count": 1, "gaps": []}, count)
        for wrong in ({"count": 1}, {"count": "1", "gaps": []}, {"count": -1, "gaps": []},
                      {"count": 1, "gaps": [], "more": 1}, {"count": 1, "gaps": [{}]},
                      {"count": True, "gaps": []}, []):
            with self.assertRaises(AssertionError):
                self.api.check(wrong, count)

    def test_answers_are_compressed_and_known_ones_not_sent_again(self):
        for path in ("/api/v1/search?limit=200", "/api/v1/export?q=verb:DELETE"):
            _, plain_head, plain = self.server.request("GET", path)
            _, head, body = self.server.request("GET", path,
                                                headers={"Accept-Encoding": "br, gzip;q=0.5"})
            self.assertIsNone(plain_head["Content-Encoding"])
            self.assertEqual(head["Content-Encoding"], "gzip")
            self.assertEqual(gzip.decompress(body), plain)
            self.assertLess(len(body) * 2, len(plain))
        path = "/api/v1/facets?q=verb:DELETE"
        status, head, body = self.server.request("GET", path)
        self.assertEqual(status, 200)
        known = {"If-None-Match": head["ETag"], "Accept-Encoding": "gzip"}
        status, head, body = self.server.request("GET", path, headers=known)
        self.assertEqual((status, body, head["ETag"]), (304, b"", known["If-None-Match"]))
        self.server.send_ndjson([event("DELETE")])
        self.assertEqual(self.server.request("GET", path, headers=known)[0], 200)


if __name__ == "__main__":
    unittest.main()
