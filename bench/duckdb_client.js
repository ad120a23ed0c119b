// DuckDB for bench/peers.py: node duckdb_client.js < request. The request is one JSON object:
//   {"path": FILE, "run": [SQL…], "ask": [{"name": NAME, "sql": SQL}…]}
// Runs the statements of `run`, then asks each question until half a second has passed, at least
// five and at most 2,000 times, after one run that is not counted. Answers with one JSON object:
//   {"version": TEXT, "answers": {NAME: {"median": MS, "p99": MS, "rows": [[…]…]}}}
"use strict";

const { DuckDBInstance } = require("@duckdb/node-api");

async function measure(connection, sql) {
  const prepared = await connection.prepare(sql);
  const first = await prepared.runAndReadAll();
  const rows = first.getRowsJson();
  const runs = [];
  const start = performance.now();
  while (runs.length < 5 || (runs.length < 2000 && performance.now() - start < 500)) {
    const before = performance.now();
    await prepared.runAndReadAll();
    runs.push(performance.now() - before);
  }
  runs.sort((a, b) => a - b);
  return {
    median: runs[Math.floor(runs.length / 2)],
    p99: runs[Math.floor((runs.length * 99) / 100)],
    rows,
  };
}

async function main() {
  const request = JSON.parse(require("fs").readFileSync(0, "utf8"));
  const instance = await DuckDBInstance.create(request.path);
  const connection = await instance.connect();
  for (const sql of request.run) {
    await connection.run(sql);
  }
  const answers = {};
  for (const { name, sql } of request.ask) {
    answers[name] = await measure(connection, sql);
  }
  const version = (await connection.runAndReadAll("SELECT version()")).getRowsJson()[0][0];
  connection.closeSync();
  instance.closeSync();
  console.log(JSON.stringify({ version, answers }));
}

main().catch((error) => {
  console.error(String(error));
  process.exit(1);
});
