"""The ten questions of bench/README.md: each to Docket, and as SQL to those beside it.

An answer is brought into one form whoever gave it, so that two of them can be compared: the ids of
rows in their order, a count, or counts by value or by hour.
"""

import csv
import dataclasses
import datetime
import json
import urllib.parse

EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
HOUR_US = 3_600_000_000
TOUCHED = "touched t JOIN event e ON e.rowid = t.event"  # but where more helps
PHRASE = "keynote news"  # in 7 payloads of 100,000 events

# What the peers' table has: the columns of Docket's CSV, with the time in microseconds, and actor
# and target as one word each, kind:id, as they are asked for.
FROM_CSV = (
    "ts log seq actor_kind actor_id actor_name actor_role verb target_type target_id target_name "
    "ip outcome reason affected session request related payload"
).split()
COLUMNS = [*FROM_CSV, "actor", "target"]
# What a question for whole events selects: log and seq first, as they are a row's id.
WHOLE = ", ".join("e." + name for name in ("log", "seq", "ts", *FROM_CSV[3:]))


@dataclasses.dataclass
class Question:
    """`sql` is None where the peers are not asked; {PHRASE}, {HOUR} and {TOUCHED} in it differ by
    peer."""

    name: str
    target: str  # path and parameters of the HTTP API
    kind: str = "rows"  # rows, count, groups, hours or export
    sql: str | None = None


def microseconds(instant):
    """Of an RFC 3339 instant in UTC, with no more than six digits behind the point."""
    return (datetime.datetime.fromisoformat(instant) - EPOCH) // datetime.timedelta(microseconds=1)


def docket_answer(kind, body):
    """Of the bytes that the HTTP API answered."""
    if kind == "export":
        return csv_ids(body.decode().splitlines(keepends=True))
    answer = json.loads(body)
    if kind == "rows":
        return [f"{e['log']}:{e['seq']}" for e in answer["events"]]
    if kind == "count":
        return answer["count"]
    if kind == "groups":
        (facet,) = answer["facets"].values()
        if facet["distinct"] != len(facet["values"]):
            raise AssertionError("a facet that is compared must have all its values")
        return {v["value"]: v["count"] for v in facet["values"]}
    return {
        microseconds(b["start"]) // HOUR_US: b["count"] for b in answer["buckets"] if b["count"]
    }


def csv_ids(lines):
    return [f"{row['log']}:{row['seq']}" for row in csv.DictReader(lines)]


def peer_answer(kind, rows):
    """Of the rows of an SQL question; numbers may come as text."""
    if kind == "rows":
        return [f"{row[0]}:{row[1]}" for row in rows]
    if kind == "count":
        return int(rows[0][0])
    if kind == "groups":
        return {value: int(count) for value, count in rows}
    return {int(hour): int(count) for hour, count in rows}


def text(value):
    return "'" + value.replace("'", "''") + "'"


def newest(where, limit=50):
    return (f"SELECT {WHOLE} FROM event e WHERE {where} "
            f"ORDER BY e.ts DESC, e.rowid DESC LIMIT {limit}")


def oldest(where):
    return f"SELECT {WHOLE} FROM event e WHERE {where} ORDER BY e.ts, e.rowid"


def search(query, **more):
    return "/api/v1/search?" + urllib.parse.urlencode({"q": query, "limit": 50, **more})


def history(name, target):
    """Also where it is but related to what an event is about."""
    return Question(name, search(f"target:{target}", oldest="true"), "rows",
                    f"SELECT {WHOLE} FROM {{TOUCHED}} "
                    f"WHERE t.target = {text(target)} ORDER BY t.ts, t.event LIMIT 50")


def questions(server, events, end):
    """With values that fit what the server has: `events` of docket-load, the last at `end`."""

    def facet(field, query=""):
        answer = server.get("/api/v1/facets", q=query, by=field, top=10000)
        return answer["facets"][field]["values"]

    def before(**span):
        return (datetime.datetime.fromisoformat(end) - datetime.timedelta(**span)).strftime(
            "%Y-%m-%dT%H:%M:%SZ")

    def since(instant):
        return f"e.ts >= {microseconds(instant)}"

    def ask(path, **parameters):
        return f"/api/v1/{path}?" + urllib.parse.urlencode(parameters)

    scale = events / 10_000_000
    week, day = before(days=7), before(days=1)
    actors = facet("actor")
    busy = min(actors, key=lambda a: abs(a["count"] - 10_000 * scale))
    rare = actors[-1]
    targets = facet("target", f"target.type:Contact since:{day}")
    target = min(targets, key=lambda t: abs(t["count"] - 2))["value"]
    exported = before(hours=88) if scale >= 1 else week
    export = f"verb:EDIT since:{exported}"
    phrase = f'payload:"{PHRASE}"'
    edit = "e.verb IN ('EDIT', 'UPDATE')"  # verb:EDIT finds both
    by_verb = "SELECT e.verb, count(*) FROM event e WHERE {} GROUP BY e.verb"
    return [
        Question("Q1 newest 50 of all", search(""), "rows", newest("true")),
        Question(f"Q2 newest 50 of an actor with {busy['count']:,} events",
                 search(f"actor:{busy['value']}"), "rows",
                 newest(f"e.actor = {text(busy['value'])}")),
        Question("Q3 count actor + verb + type, 7 d",
                 ask("count", q=f"actor:{busy['value']} verb:EDIT target.type:Contact "
                                f"since:{week}"), "count",
                 f"SELECT count(*) FROM event e WHERE e.actor = {text(busy['value'])} AND {edit} "
                 f"AND e.target_type = 'Contact' AND {since(week)}"),
        Question("Q4 newest 50 of verb + type, 24 h",
                 search(f"verb:DELETE target.type:Contact since:{day}"), "rows",
                 newest(f"e.verb = 'DELETE' AND e.target_type = 'Contact' AND {since(day)}")),
        Question("Q5 count by verb, 7 d", ask("facets", q=f"since:{week}", by="verb", top=100),
                 "groups", by_verb.format(since(week))),
        Question("Q5 count by verb, 90 d", ask("facets", q="", by="verb", top=100),
                 "groups", by_verb.format("true")),
        history(f"Q6 history of one target, {server.count('target:' + target)} events", target),
        Question(f"Q7 a rare actor, {rare['count']} events", search(f"actor:{rare['value']}"),
                 "rows", newest(f"e.actor = {text(rare['value'])}")),
        Question(f"Q8 CSV of {server.count(export):,} rows",
                 ask("export", q=export, format="csv"), "export",
                 oldest(f"{edit} AND {since(exported)}")),
        Question("Q9 count a phrase in payloads, 24 h",
                 ask("count", q=f"{phrase} since:{day}"), "count",
                 f"SELECT count(*) FROM event e WHERE {{PHRASE}} AND {since(day)}"),
        Question("Q9 count a phrase in payloads, all", ask("count", q=phrase), "count",
                 "SELECT count(*) FROM event e WHERE {PHRASE}"),
        Question("Q10 hourly histogram of a verb, 7 d",
                 ask("histogram", q=f"verb:EDIT since:{week}", every="1h"), "hours",
                 f"SELECT {{HOUR}} AS hour, count(*) FROM event e WHERE {edit} AND {since(week)} "
                 f"GROUP BY hour"),
        Question("all facets of everything", ask("facets", q="")),
    ]
