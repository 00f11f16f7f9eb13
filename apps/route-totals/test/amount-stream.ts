import { setTimeout as sleep } from "node:timers/promises";
import { EosError, int64Serde, silentLogger, stringSerde } from "@eos/core";
import { createTransactionalProducer, type TransactionalProducer } from "@eos/transactions";
import type { Random } from "@tooling/faults";

const TICK_MS = 25;
/** So many that most of them are not written again soon: what a store has wrongly would otherwise be covered by what comes next. */
const KEYS = 10_007;
/** Every so many transactions one is aborted: its amounts must not count. */
const ABORT_EVERY = 8;

export interface AmountStreamOptions {
  readonly brokers: readonly string[];
  readonly topic: string;
  readonly recordsPerSecond: number;
  readonly random: Random;
}

class MeantToFail extends Error {}

/** Writes amounts of random keys continuously, in transactions some of which are aborted. */
export class AmountStream implements AsyncDisposable {
  readonly #options: AmountStreamOptions;
  readonly #producer: TransactionalProducer;
  readonly #startedMs = performance.now();
  readonly #writing: Promise<void>;
  #written = 0;
  #transactions = 0;
  #isStopped = false;

  private constructor(options: AmountStreamOptions, producer: TransactionalProducer) {
    this.#options = options;
    this.#producer = producer;
    this.#writing = this.#write();
    this.#writing.catch(() => undefined);
  }

  static async start(options: AmountStreamOptions): Promise<AmountStream> {
    const transactionalId = `amounts-${options.topic}`;
    const producer = createTransactionalProducer({ brokers: options.brokers, transactionalId, logger: silentLogger });
    await producer.start();
    return new AmountStream(options, producer);
  }

  /** Resolves once so many records are committed. @throws the error that ended it early */
  async reached(count: number): Promise<void> {
    while (this.#written < count) await Promise.race([this.#writing, sleep(TICK_MS)]);
  }

  /** @returns how many records are committed. @throws the error that ended it early */
  async stop(): Promise<number> {
    this.#isStopped = true;
    try {
      await this.#writing;
    } finally {
      await this.#producer.close();
    }
    return this.#written;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #write(): Promise<void> {
    const { recordsPerSecond } = this.#options;
    while (!this.#isStopped) {
      await sleep(TICK_MS);
      const due = Math.floor(((performance.now() - this.#startedMs) / 1_000) * recordsPerSecond) - this.#written;
      if (due > 0 && (await this.#transaction(due))) this.#written += due;
    }
  }

  /** @returns whether it was committed */
  async #transaction(count: number): Promise<boolean> {
    const { topic, random } = this.#options;
    const isMeantToFail = ++this.#transactions % ABORT_EVERY === 0;
    const records = Array.from({ length: count }, () => ({
      key: `key-${random.below(KEYS)}`,
      value: random.below(2_000) - 500,
    }));
    try {
      await this.#producer.transaction(async (transaction) => {
        await transaction.send({ topic, records, key: stringSerde, value: int64Serde });
        if (isMeantToFail) throw new MeantToFail();
      });
      return true;
    } catch (error) {
      if (error instanceof MeantToFail || (EosError.is(error) && error.severity !== "fatal")) return false;
      throw error;
    }
  }
}
