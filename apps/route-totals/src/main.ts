import "@tooling/app-cli/parent-channel";
import { formatTopicPartition, type Logger, silentLogger, systemClock } from "@eos/core";
import { failureLine, runApp } from "@tooling/app-cli";
import { runProcessors } from "@tooling/app-cli/run-processors";
import { HELP, readConfig, type RouteTotalsConfig } from "./config.ts";
import { count, type Display, LogDisplay, TerminalDisplay } from "./display.ts";
import { createRouteTotalsProcessor, type RouteTotalsProcessor } from "./processor.ts";
import { RestoreProgress } from "./restore-progress.ts";
import { summarise, type TotalsStore, totalsStore } from "./totals-store.ts";

async function run(config: RouteTotalsConfig): Promise<void> {
  const { stdout, stderr } = process;
  const display = stdout.isTTY
    ? new TerminalDisplay(stdout, stderr)
    : new LogDisplay(stdout, stderr, () => systemClock.monotonicMs());
  const restores = new RestoreProgress(display, systemClock);
  try {
    await runProcessors(
      Array.from({ length: config.instances }, (_, index) => createProcessor(config, index + 1, display, restores)),
    );
  } finally {
    display.close();
  }
}

function createProcessor(
  config: RouteTotalsConfig,
  instance: number,
  display: Display,
  restores: RestoreProgress,
): RouteTotalsProcessor {
  const say = (text: string): void => display.line(`instance ${instance}: ${text}`);
  const totals = totalsStore(restores);
  return createRouteTotalsProcessor(config, totals, {
    logger: warningLogger(display),
    observer: {
      rebalanced: ({ generationId, assigned }) =>
        say(`generation ${generationId}: ${assigned.map(formatTopicPartition).join(" ") || "no partitions"}`),
    },
    onStateChange: (next, previous) => {
      say(`${previous} → ${next}`);
      if (next === "RUNNING") tellState(totals, say);
    },
  });
}

function tellState(totals: TotalsStore, say: (text: string) => void): void {
  summarise(totals).then(
    ({ partitions, routes, replayed }) =>
      say(`state: ${count(routes)} routes in ${partitions} partitions, ${count(replayed)} records replayed`),
    // The partitions have gone elsewhere while they were counted: then there is nothing to tell.
    () => undefined,
  );
}

/** What stops a processor ends the program, which says so itself. */
function warningLogger(display: Display): Logger {
  return {
    ...silentLogger,
    warn: (fields: { readonly err?: unknown }, message) =>
      display.warning(fields.err === undefined ? message : `${message}: ${failureLine(fields.err)}`),
  };
}

await runApp({ name: "route-totals", help: HELP, prepare: readConfig, run });
