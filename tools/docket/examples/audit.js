// Node: appends audit events to a file that `docket forward` sends. Nothing to install.
//
//   const audit = require('./audit').to('/var/log/app/audit.ndjson');
//   audit({actor: {kind: 'user', id: '17'}, verb: 'EDIT', target: {type: 'List', id: '7'}});
//
// appendFileSync opens with O_APPEND and writes a line at once, so that many processes may share a
// file; it opens by name each time, so that the file may be rotated at any moment.
'use strict';
const fs = require('fs');

exports.to = (path) => (event) => {
  const line = JSON.stringify({ts: new Date().toISOString(), ...event});
  fs.appendFileSync(path, line + '\n', {mode: 0o640});
};

if (require.main === module) {
  // node audit.js FILE COUNT: as many events, for a try.
  const [path, count] = process.argv.slice(2);
  const audit = exports.to(path);
  for (let i = 1; i <= Number(count); ++i) {
    audit({
      actor: {kind: 'user', id: '17', name: 'Ana Lima', role: 'Owner'},
      verb: 'EDIT',
      target: {type: 'List', id: `node-${i}`, name: 'Newsletter\nsubscribers'},
      payload: {changes: [{field: 'hourly_limit', old: 100, new: 100 + i}]},
    });
  }
}
