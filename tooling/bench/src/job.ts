import { join } from "node:path";
import type { BenchBroker } from "./bench-broker.ts";
import type { Rival, Serde } from "./rival.ts";

/** What the command line can set; each job reads what concerns it. */
export interface Settings {
  readonly records: number;
  /** Records of the discarded warm-up. */
  readonly warmupRecords: number;
  readonly partitions: number;
  readonly serde: Serde;
  readonly commitIntervalMs: number;
  /** Records per second of the jobs with a steady input. */
  readonly rate: number;
  /** How long the jobs that take a time measure. */
  readonly seconds: number;
  readonly warmupSeconds: number;
  readonly transactions: number;
  /** How often a member joins and leaves. */
  readonly visits: number;
}

/** One run of the harness. */
export class Bench {
  readonly broker: BenchBroker;
  readonly settings: Settings;
  readonly #logDirectory: string;

  constructor(broker: BenchBroker, settings: Settings, logDirectory: string) {
    this.broker = broker;
    this.settings = settings;
    this.#logDirectory = logDirectory;
  }

  logFile(label: string): string {
    return join(this.#logDirectory, `${label}.log`);
  }
}

/** The measured numbers of one rival in one round, by name. */
export type Figures = Readonly<Record<string, number>>;

/** A figure in the printed table. */
export interface Column {
  readonly figure: string;
  readonly title: string;
  readonly digits: number;
}

/** A job set up on the broker. */
export interface JobSession {
  /** What a reader of the table must know besides. */
  readonly notes: readonly string[];
  /** The discarded run of a rival before the first round. */
  warmUp(rival: Rival): Promise<void>;
  measure(rival: Rival, round: number): Promise<Figures>;
}

/** Something to measure. */
export interface Job {
  /** What it takes of settings and rounds when the command line does not say, where that differs from the others. */
  readonly defaults?: Partial<Settings & { readonly rounds: number }>;
  /** What was done, for the title. */
  describe(settings: Settings): string;
  /** The first column is the one that rivals are compared by. */
  readonly columns: readonly Column[];
  isDoneBy(rival: Rival, settings: Settings): boolean;
  /** What a reader must know about a rival's part in this job. */
  remarkOn?(rival: Rival): string | undefined;
  setUp(bench: Bench): Promise<JobSession>;
}
