import type { FlightRow } from "../dataset.ts";
import type { CleanUp } from "./clean-up.ts";
import { ProcessorProcess } from "./processor-process.ts";
import type { Screen } from "./screen.ts";
import type { Application, Stage } from "./stage.ts";

const FLIGHT_DELAYS = new URL("../main.ts", import.meta.url);
const ROUTE_TOTALS = new URL("../../../route-totals/src/main.ts", import.meta.url);

/** Long transactions whose batches leave early: so there are offsets that are written and not yet committed. */
const COMMIT_INTERVAL_MS = 1_000;
const FLIGHTS_BATCH_BYTES = 8_192;
/** Rows are small, and few with few flights. */
const TOTALS_BATCH_BYTES = 1_024;
/** The least that brokers allow as shipped: after that the dead processor's partitions go to others. */
const SESSION_TIMEOUT_MS = 6_000;

/** What the acts of the demo share. */
export interface Scene {
  readonly screen: Screen;
  readonly stage: Stage;
  readonly cleanUp: CleanUp;
  readonly signal: AbortSignal;
  readonly rows: readonly FlightRow[];
  /** The large data set has no routes to count. */
  readonly hasRoutes: boolean;
  readonly startEnrichment: (number: number) => Promise<ProcessorProcess>;
  readonly startTotals: () => Promise<ProcessorProcess>;
}

/** How a process is started; whatever is started is owned by `cleanUp`. */
export function processStarter(
  { brokers, enrichment, totals }: Stage,
  cleanUp: CleanUp,
  onFailure: (error: Error) => void,
): Pick<Scene, "startEnrichment" | "startTotals"> {
  const start = (name: string, main: URL, args: readonly string[]): Promise<ProcessorProcess> =>
    cleanUp.own(
      () => new ProcessorProcess(name, main, args, onFailure),
      (processor) => processor.kill(),
    );
  const argumentsOf = ({ applicationId, input, output }: Application, batchBytes: number): string[] => [
    `--brokers=${brokers.join(",")}`,
    `--application-id=${applicationId}`,
    `--input=${input}`,
    `--output=${output}`,
    `--commit-interval-ms=${COMMIT_INTERVAL_MS}`,
    `--max-batch-bytes=${batchBytes}`,
    `--session-timeout-ms=${SESSION_TIMEOUT_MS}`,
    "--trace-source",
  ];
  return {
    startEnrichment: (number) =>
      start(`processor ${number}`, FLIGHT_DELAYS, argumentsOf(enrichment, FLIGHTS_BATCH_BYTES)),
    startTotals: () =>
      start("route-totals", ROUTE_TOTALS, [
        ...argumentsOf(totals, TOTALS_BATCH_BYTES),
        "--replication-factor=1",
        `--state-dir=${totals.stateDir}`,
      ]),
  };
}
