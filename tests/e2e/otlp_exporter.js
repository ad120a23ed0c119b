// Sends records through OpenTelemetry's own exporter: otlp_exporter.js http|proto URL none|gzip N
"use strict";
const [encoding, url, compression, count] = process.argv.slice(2);
const { OTLPLogExporter } = require(`@opentelemetry/exporter-logs-otlp-${encoding}`);
const { BatchLogRecordProcessor, LoggerProvider } = require("@opentelemetry/sdk-logs");
const { Resource } = require("@opentelemetry/resources");
const { SeverityNumber } = require("@opentelemetry/api-logs");
const { diag, DiagLogLevel } = require("@opentelemetry/api");

// What it cannot deliver, it only says.
const complain = (...words) => { console.error(...words); process.exitCode = 1; };
diag.setLogger({ error: complain, warn: complain, info() {}, debug() {}, verbose() {} },
               DiagLogLevel.WARN);

const provider = new LoggerProvider({
  resource: new Resource({ "service.name": `shop-${encoding}` }),
});
provider.addLogRecordProcessor(new BatchLogRecordProcessor(new OTLPLogExporter({
  url, compression, headers: { Authorization: `Bearer ${process.env.DOCKET_TOKEN}` },
}), { maxQueueSize: 100_000 }));
const logger = provider.getLogger("checkout");
for (let n = 0; n < Number(count); ++n) {
  logger.emit({ severityNumber: SeverityNumber.INFO, body: `order ${n} paid, Zoë` });
}
logger.emit({ severityNumber: SeverityNumber.INFO, body: "edited", attributes: {
  "docket.actor.kind": "user", "docket.actor.id": encoding, "docket.verb": "EDIT",
  "docket.target.type": "List", "docket.target.id": "4", "docket.payload": "{\"n\":1}" } });
provider.shutdown();
