import { shutdownRequested } from "@tooling/app-cli/shutdown-signal";
import "./parent-channel.ts";
import { createConsoleLogger, formatTopicPartition } from "@eos/core";
import { runApp } from "@tooling/app-cli";
import { readAirports } from "./airports.ts";
import { type FlightDelaysConfig, HELP, readConfig } from "./config.ts";
import { createFlightDelaysProcessor, type FlightDelaysProcessor } from "./processor.ts";

async function prepare(
  args: readonly string[],
  environment: NodeJS.ProcessEnv,
): Promise<FlightDelaysProcessor[] | "help"> {
  const config = readConfig(args, environment);
  return config === "help" ? "help" : createProcessors(config);
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

/** Until the end is asked for, or a processor stops. */
async function run(processors: readonly FlightDelaysProcessor[]): Promise<void> {
  // A pending promise keeps no process alive, and a processor that waits for its first assignment may have no handle.
  const keepAlive = setInterval(() => {}, 2 ** 30);
  try {
    const finished = Promise.all(processors.map((processor) => processor.start().then(() => processor.finished)));
    await Promise.race([shutdownRequested, finished]);
    await Promise.all(processors.map((processor) => processor.close()));
  } catch (error) {
    await Promise.allSettled(processors.map((processor) => processor.close()));
    throw error;
  } finally {
    clearInterval(keepAlive);
  }
}

await runApp({ name: "flight-delays", help: HELP, prepare, run });
