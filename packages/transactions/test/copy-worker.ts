import { WorkerProcess } from "@tooling/faults";

const PROGRAM = new URL("./programs/copy-processor.ts", import.meta.url);

/** What the program reports, one line each; `atMs` is the time of its clock, which is this machine's. */
export type WorkerEvent = { readonly atMs: number } & (
  | { readonly event: "state"; readonly next: string; readonly previous: string }
  | { readonly event: "rebalanced"; readonly generationId: number; readonly assigned: readonly number[] }
  | {
      readonly event: "committed";
      readonly transactionalId: string;
      readonly records: number;
      readonly durationMs: number;
    }
  | { readonly event: "aborted"; readonly transactionalId: string; readonly cause: string }
  | { readonly event: "reinitialised"; readonly transactionalId: string; readonly cause: string }
  | { readonly event: "fenced"; readonly message: string }
  | { readonly event: "failed"; readonly message: string }
);

/** The flags of test/programs/copy-processor.ts. */
export interface CopyWorkerOptions {
  readonly brokers: readonly string[];
  readonly applicationId: string;
  readonly input: string;
  readonly output: string;
  readonly producerScope?: "process" | "task";
  readonly guarantee?: "exactly_once_v2" | "at_least_once";
  readonly commitIntervalMs?: number;
  readonly transactionTimeoutMs?: number;
  readonly sessionTimeoutMs?: number;
  readonly heartbeatIntervalMs?: number;
  readonly maxBatchBytes?: number;
  /** Names a store that counts the records of each key. */
  readonly store?: string;
}

/** A copying processor in a process of its own, to be killed and frozen. */
export class CopyWorker extends WorkerProcess<WorkerEvent> {
  constructor({ brokers, ...options }: CopyWorkerOptions) {
    super(PROGRAM, { brokers: brokers.join(","), ...options });
  }

  /** Records in transactions that it has committed. */
  get recordsCommitted(): number {
    return this.events.reduce((sum, event) => sum + (event.event === "committed" ? event.records : 0), 0);
  }

  /** The partitions of its last assignment; none before the first. */
  get assigned(): readonly number[] {
    const last = this.events.findLast((event) => event.event === "rebalanced");
    return last?.event === "rebalanced" ? last.assigned : [];
  }

  running(timeoutMs = 30_000): Promise<WorkerEvent> {
    return this.waitFor((event) => event.event === "state" && event.next === "RUNNING", { timeoutMs });
  }
}
