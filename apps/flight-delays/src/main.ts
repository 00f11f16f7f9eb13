import "@tooling/app-cli/parent-channel";
import { createConsoleLogger, formatTopicPartition } from "@eos/core";
import { type ProcessorConfig, runApp } from "@tooling/app-cli";
import { runProcessors } from "@tooling/app-cli/run-processors";
import { readAirports } from "./airports.ts";
import { HELP, readConfig } from "./config.ts";
import { createFlightDelaysProcessor, type FlightDelaysProcessor } from "./processor.ts";

async function prepare(
  args: readonly string[],
  environment: NodeJS.ProcessEnv,
): Promise<FlightDelaysProcessor[] | "help"> {
  const config = readConfig(args, environment);
  return config === "help" ? "help" : createProcessors(config);
}

async function createProcessors(config: ProcessorConfig): Promise<FlightDelaysProcessor[]> {
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

await runApp({ name: "flight-delays", help: HELP, prepare, run: runProcessors });
