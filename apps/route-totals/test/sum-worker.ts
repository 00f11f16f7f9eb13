import { WorkerProcess } from "@tooling/faults";

const PROGRAM = new URL("./programs/sum-processor.ts", import.meta.url);

/** What the program reports, one line each. */
export type SumEvent = { readonly atMs: number } & (
  | { readonly event: "state"; readonly next: string; readonly previous: string }
  | { readonly event: "rebalanced"; readonly generationId: number; readonly assigned: readonly number[] }
  | {
      readonly event: "restored";
      readonly partition: number;
      readonly startingOffset: number;
      readonly totalRestored: number;
    }
  | { readonly event: "committed"; readonly transactionalId: string; readonly records: number }
  | { readonly event: "aborted"; readonly transactionalId: string; readonly cause: string }
  | { readonly event: "fenced"; readonly message: string }
  | { readonly event: "failed"; readonly message: string }
);

/** The flags of test/programs/sum-processor.ts. */
export interface SumWorkerOptions {
  readonly brokers: readonly string[];
  readonly applicationId: string;
  readonly input: string;
  readonly output: string;
  readonly stateDir: string;
  readonly producerScope?: "process" | "task";
  readonly commitIntervalMs: number;
  readonly sessionTimeoutMs: number;
  readonly heartbeatIntervalMs: number;
  readonly maxBatchBytes: number;
  /** How long each EndTxn is on its way to the broker. */
  readonly endTxnDelayMs: number;
}

/** A summing processor in a process of its own. */
export class SumWorker extends WorkerProcess<SumEvent> {
  readonly stateDir: string;

  constructor({ brokers, ...options }: SumWorkerOptions) {
    super(PROGRAM, { brokers: brokers.join(","), ...options });
    this.stateDir = options.stateDir;
  }

  /** The partitions of its last assignment; none before the first. */
  get assigned(): readonly number[] {
    const last = this.events.findLast((event) => event.event === "rebalanced");
    return last?.event === "rebalanced" ? last.assigned : [];
  }

  /** Its restores of a partition, in their order. */
  restoresOf(partition: number): Extract<SumEvent, { readonly event: "restored" }>[] {
    return this.events.flatMap((event) => (event.event === "restored" && event.partition === partition ? [event] : []));
  }
}
