/** What the values are: text that is upper-cased, or JSON orders `{id, amount, name}` whose amount is raised by one. */
export type Serde = "string" | "json";

/** Reads `input`, transforms each value, writes `output`: exactly once, in transactions of `commitIntervalMs`. */
export interface CopyJob {
  readonly bootstrapServers: string;
  /** The consumer group that the copy must commit its offsets for; transactional ids and state must be its own too. */
  readonly group: string;
  readonly input: string;
  readonly output: string;
  /** Partitions of input and output. */
  readonly partitions: number;
  readonly serde: Serde;
  readonly commitIntervalMs: number;
  /** An empty folder for state, removed afterwards. */
  readonly stateDirectory: string;
}

/** Writes `records` records of about 105 bytes to `topic`, acks all, not transactional, then exits. */
export interface ProduceJob {
  readonly bootstrapServers: string;
  readonly topic: string;
  readonly records: number;
}

/**
 * Reads `topic` from its beginning, makes a string of each key and value, and commits the offsets of `group` every 100 ms.
 * After `records` records it prints one line `{"records": …, "characters": …}` on stdout: what it really read.
 */
export interface ConsumeJob {
  readonly bootstrapServers: string;
  readonly group: string;
  readonly topic: string;
  readonly partitions: number;
  readonly records: number;
}

/** Transactions that a program sends before the timed ones, so that its code is compiled and its connections are open. */
export const UNTIMED_TRANSACTIONS = 20;

/**
 * Sends {@link UNTIMED_TRANSACTIONS} and then `transactions` transactions of one record and one offset, one after the
 * other, then prints one line
 * `{"p50": …, "p99": …}` (milliseconds from begin to committed) on stdout and exits.
 */
export interface TransactionJob {
  readonly bootstrapServers: string;
  readonly group: string;
  /** Where the offsets come from; it holds at least one record. */
  readonly input: string;
  readonly output: string;
  readonly transactions: number;
}

/** A program to run. It must end in order on SIGTERM; it is measured together with all its children. */
export interface Program {
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** Somebody who does some of the jobs. A job that is absent, or answers undefined, is one it does not do: it is left out visibly. */
export interface Rival {
  readonly name: string;
  /** What a reader must know to compare its copy with others; printed below the tables of copies. */
  readonly copyRemark?: string;
  /** Builds what it needs. A string instead says why it cannot run on this machine. */
  prepare(): Promise<string | undefined>;
  copy?(job: CopyJob): Program | undefined;
  produce?(job: ProduceJob): Program | undefined;
  consume?(job: ConsumeJob): Program | undefined;
  transaction?(job: TransactionJob): Program | undefined;
}
