import { parseArgs } from "node:util";
import { Kafka, logLevel } from "kafkajs";

/** The command line of the three programs: `--bootstrap host:port` and what each names. */
export function readOptions(...names) {
  const options = Object.fromEntries(["bootstrap", ...names].map((name) => [name, { type: "string" }]));
  return parseArgs({ options }).values;
}

export function connect(bootstrap) {
  return new Kafka({ clientId: "bench", brokers: bootstrap.split(","), logLevel: logLevel.ERROR });
}

/** Ends the process in order on SIGTERM. */
export function onTermination(close) {
  process.once("SIGTERM", () => {
    void close().finally(() => process.exit(0));
  });
}

/** Ends the process when the consumer will not restart by itself: it would stay up and do nothing. */
export function endOnCrash(consumer) {
  consumer.on(consumer.events.CRASH, ({ payload }) => {
    if (!payload.restart) process.exit(1);
  });
}
