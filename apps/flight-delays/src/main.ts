import { shutdownRequested } from "./shutdown-signal.ts";
import { createConsoleLogger, formatTopicPartition } from "@eos/core";
import { readAirports } from "./airports.ts";
import { type FlightDelaysConfig, HELP, readConfig } from "./config.ts";
import { failureLine } from "./failure.ts";
import { createFlightDelaysProcessor, type FlightDelaysProcessor } from "./processor.ts";

async function main(): Promise<number> {
  let processors: FlightDelaysProcessor[];
  try {
    const config = readConfig(process.argv.slice(2), process.env);
    if (config === "help") {
      process.stdout.write(HELP);
      return 0;
    }
    processors = await createProcessors(config);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    process.stderr.write(`${error.message}\nTry --help.\n`);
    return 2;
  }
  // A pending promise keeps no process alive, and a processor that waits for its first assignment may have no handle.
  const keepAlive = setInterval(() => {}, 2 ** 30);
  try {
    const finished = Promise.all(processors.map((processor) => processor.start().then(() => processor.finished)));
    await Promise.race([shutdownRequested, finished]);
    await Promise.all(processors.map((processor) => processor.close()));
    return 0;
  } catch (error) {
    await Promise.allSettled(processors.map((processor) => processor.close()));
    throw error;
  } finally {
    clearInterval(keepAlive);
  }
}

async function createProcessors(config: FlightDelaysConfig): Promise<FlightDelaysProcessor[]> {
  const airports = await readAirports();
  // What stops a processor ends the program, which says so itself.
  const logger = { ...createConsoleLogger({ level: "warn" }), error: () => {} };
  return Array.from({ length: config.instances }, (_, index) => {
    const say = (text: string): void => {
      process.stdout.write(`${new Date().toISOString()} instance ${index + 1}: ${text}\n`);
    };
    return createFlightDelaysProcessor(config, airports, {
      logger,
      observer: {
        rebalanced: ({ generationId, assigned }) =>
          say(`generation ${generationId}: ${assigned.map(formatTopicPartition).join(" ") || "no partitions"}`),
      },
      onStateChange: (next, previous) => say(`${previous} → ${next}`),
    });
  });
}

main().then(
  (exitCode) => process.exit(exitCode),
  (error: unknown) => {
    process.stderr.write(`flight-delays: ${failureLine(error)}\n`);
    process.exit(1);
  },
);
