import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { type Contents, readBack } from "./instruments.ts";
import type { Bench } from "./job.ts";
import { type Progress, watchProgress } from "./progress.ts";
import type { Rival } from "./rival.ts";
import { RunningProgram } from "./running-program.ts";
import { createStateFolder, removeStateFolder } from "./state-folders.ts";

const EMPTY_WITHIN_MS = 60_000;
const POLL_MS = 100;

/** A rival's program that puts `input` into a store: one group, one changelog and one folder, however often it is started. */
export class StoreApplication implements AsyncDisposable {
  readonly group: string;
  readonly changelog: string;
  readonly input: string;
  readonly #bench: Bench;
  readonly #rival: Rival;
  #stateDirectory: string;

  private constructor(bench: Bench, rival: Rival, input: string, stateDirectory: string) {
    this.#bench = bench;
    this.#rival = rival;
    this.#stateDirectory = stateDirectory;
    this.input = input;
    this.group = `${rival.name}-${randomBytes(4).toString("hex")}`;
    this.changelog = `${this.group}-store-changelog`;
  }

  static async create(bench: Bench, rival: Rival, input: string): Promise<StoreApplication> {
    return new StoreApplication(bench, rival, input, await createStateFolder());
  }

  /** Starts the program, once nobody waits for the one before any more; it is killed when it has been used. */
  async run<T>(label: string, use: (program: RunningProgram) => Promise<T>): Promise<T> {
    await this.#nobodyIsMissed();
    const { commitIntervalMs } = this.#bench.settings;
    const program = this.#rival.store?.({
      bootstrapServers: this.#bench.broker.bootstrapServers,
      group: this.group,
      input: this.input,
      commitIntervalMs,
      stateDirectory: this.#stateDirectory,
    });
    if (program === undefined) throw new Error(`${this.#rival.name} has no store`);
    const running = new RunningProgram(this.#rival.name, program, this.logFile(label));
    try {
      return await use(running);
    } finally {
      await running.kill();
    }
  }

  /** As on a new machine: nothing is left but the changelog. */
  async forgetState(): Promise<void> {
    await removeStateFolder(this.#stateDirectory);
    this.#stateDirectory = await createStateFolder();
  }

  /** Waits until `records` of the input are committed. */
  async watch(program: RunningProgram, records: number): Promise<Progress> {
    const { broker } = this.#bench;
    return watchProgress(program, broker, records, () => broker.committedOffsets(this.group, this.input));
  }

  /** Runs the program until the input is in the store and, record by record, in the changelog. */
  async fill(expected: Contents, label: string): Promise<Progress> {
    const progress = await this.run(label, async (program) => {
      const watched = await this.watch(program, expected.records);
      await this.stop(program, expected);
      return watched;
    });
    const logged = await readBack(this.#bench.broker.bootstrapServers, this.changelog, this.logFile(`check-${label}`));
    requireEqual(logged, expected, `${this.#rival.name}'s changelog`);
    return progress;
  }

  /** Stops the program in order. @throws Error when the store does not hold what is expected */
  async stop(program: RunningProgram, expected: Contents): Promise<void> {
    await program.stop();
    requireEqual(program.lastJson() as Contents, expected, `${this.#rival.name}'s store`);
  }

  logFile(label: string): string {
    return this.#bench.logFile(`${this.#rival.name}-${label}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await removeStateFolder(this.#stateDirectory);
    await this.#bench.broker.deleteTopic(this.changelog);
  }

  /** A member that was killed, or did not say that it leaves, is expelled only after its session timeout. */
  async #nobodyIsMissed(): Promise<void> {
    const untilMs = performance.now() + EMPTY_WITHIN_MS;
    while (!(await this.#bench.broker.hasNoMembers(this.group))) {
      if (performance.now() > untilMs) throw new Error(`${this.group} still has members after ${EMPTY_WITHIN_MS} ms`);
      await sleep(POLL_MS);
    }
  }
}

function requireEqual(actual: Contents, expected: Contents, what: string): void {
  if (actual.records === expected.records && actual.digest === expected.digest) return;
  throw new Error(
    `${what} is not exactly once: it holds ${actual.records} records with digest ${actual.digest}, ` +
      `the input ${expected.records} with ${expected.digest}`,
  );
}
