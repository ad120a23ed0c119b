// ClickHouse for bench/clickhouse.py: node clickhouse_client.js < request. The request is one JSON
// object:
//   {"path": FOLDER, "run": [SQL…], "ask": [{"name": NAME, "sql": SQL}…]}
// Runs the statements of `run`, then asks each question until half a second has passed, at least
// five and at most 2,000 times, after one run that is not counted. Answers with one JSON object:
//   {"version": TEXT, "answers": {NAME: {"median": MS, "p99": MS, "rows": [[…]…]}}}
"use strict";

const { Session } = require("chdb");

function rowsOf(text) {
  return text === "" ? [] : JSON.parse(text).data; // what goes into a file answers nothing
}

function measure(session, sql) {
  const rows = rowsOf(session.query(sql, "JSONCompact"));
  const runs = [];
  const start = performance.now();
  while (runs.length < 5 || (runs.length < 2000 && performance.now() - start < 500)) {
    const before = performance.now();
    rowsOf(session.query(sql, "JSONCompact"));
    runs.push(performance.now() - before);
  }
  runs.sort((a, b) => a - b);
  return {
    median: runs[Math.floor(runs.length / 2)],
    p99: runs[Math.floor((runs.length * 99) / 100)],
    rows,
  };
}

const request = JSON.parse(require("fs").readFileSync(0, "utf8"));
const session = new Session(request.path);
for (const sql of request.run) {
  session.query(sql, "JSONCompact");
}
const answers = {};
for (const { name, sql } of request.ask) {
  answers[name] = measure(session, sql);
}
const version = rowsOf(session.query("SELECT version()", "JSONCompact"))[0][0];
console.log(JSON.stringify({ version, answers }));
