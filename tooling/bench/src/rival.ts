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

/**
 * Handles every record of `topic` with an asynchronous handler of 1 ms and commits the offsets of `group`. At its end it
 * prints one line `{"records": …, "violations": …}` on stdout: how many it has handled, and how many of them came again,
 * too early, or while another one of their key was being handled. `ours/key-sequences.mjs` says what records look like.
 */
export interface KeysJob {
  readonly bootstrapServers: string;
  readonly group: string;
  readonly topic: string;
  /** How many records it handles at the same time. */
  readonly concurrency: number;
}

/** A rival's part in the job keys. */
export interface KeysPart {
  /** Its input is in proportion, so that all take about equally long. */
  readonly concurrency: number;
  program(job: KeysJob): Program;
}

/**
 * Is one member of `group`, with an asynchronous handler of 1 ms. It prints a line for each time it handed out nothing
 * because of a rebalance, a `Pause` (`rebalance-pauses.ts`), and at its end `{"handled": …, "lost": …}`: how many records it has handed out,
 * and how often the group has gone on without it. Times are milliseconds since the epoch, with fractions.
 */
export interface RebalanceJob {
  readonly bootstrapServers: string;
  readonly group: string;
  readonly topic: string;
  /** It joins and leaves so many times, and ends; `undefined`: it stays until SIGTERM. */
  readonly visits: number | undefined;
}

/**
 * Handles the records of `topic` with an asynchronous handler of 1 ms while it pauses and resumes partitions at random,
 * every few milliseconds. After `warmupSeconds` it prints a `MemorySample` (`memory-trend.ts`) every second, and at its end what
 * {@link KeysJob} does.
 */
export interface PauseMemoryJob {
  readonly bootstrapServers: string;
  readonly group: string;
  readonly topic: string;
  readonly partitions: number;
  readonly warmupSeconds: number;
}

/**
 * Puts every record of `input` into the persistent key-value store `store`, keys as strings and values as bytes, with a
 * changelog and no output: exactly once, in transactions of `commitIntervalMs`. It prints the line `restoring` when the
 * restore of its first partition begins, `{"restored": …, "restoreMs": …}` when it runs (the records of all partitions, and
 * the time from the first one's start to the last one's end), and on SIGTERM `{"records": …, "digest": …}`: what the
 * store holds.
 */
export interface StoreJob {
  readonly bootstrapServers: string;
  readonly group: string;
  readonly input: string;
  readonly commitIntervalMs: number;
  readonly stateDirectory: string;
}

/** Works on a store of its own without a broker, prints a `StoreMicroFigures` (`jobs/store-micro.ts`) and exits. */
export interface StoreMicroJob {
  readonly keys: number;
  readonly stateDirectory: string;
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
  readonly keys?: KeysPart;
  rebalance?(job: RebalanceJob): Program | undefined;
  pauseMemory?(job: PauseMemoryJob): Program | undefined;
  store?(job: StoreJob): Program | undefined;
  storeMicro?(job: StoreMicroJob): Program | undefined;
}
