import { setTimeout as sleep } from "node:timers/promises";
import { EosError, silentLogger, stringSerde } from "@eos/core";
import { createTransactionalProducer, type TransactionalProducer } from "@eos/transactions";

const TICK_MS = 25;

export interface InputStreamOptions {
  readonly brokers: readonly string[];
  readonly topic: string;
  readonly recordsPerSecond: number;
}

/**
 * Writes keyed records continuously, in transactions of their own, so that input has markers between its records as it
 * has in a pipeline.
 */
export class InputStream implements AsyncDisposable {
  readonly #options: InputStreamOptions;
  readonly #producer: TransactionalProducer;
  readonly #startedMs = performance.now();
  #written = 0;
  #stopped = false;
  #loop: Promise<void>;
  #wake: () => void = () => {};

  private constructor(options: InputStreamOptions, producer: TransactionalProducer) {
    this.#options = options;
    this.#producer = producer;
    this.#loop = this.#write();
    this.#loop.catch(() => undefined);
  }

  static async start(options: InputStreamOptions): Promise<InputStream> {
    const producer = createTransactionalProducer({
      brokers: options.brokers,
      transactionalId: `input-stream-${options.topic}`,
      transactionTimeoutMs: 60_000,
      logger: silentLogger,
    });
    await producer.start();
    return new InputStream(options, producer);
  }

  get written(): number {
    return this.#written;
  }

  /** Resolves once so many records are written. @throws the error that ended it early */
  async reached(count: number): Promise<void> {
    while (this.#written < count) await Promise.race([this.#loop, sleep(TICK_MS)]);
  }

  /** Stops writing; all that was written is committed then. @throws the error that ended it early */
  async stop(): Promise<number> {
    this.#stopped = true;
    this.#wake();
    try {
      await this.#loop;
    } finally {
      await this.#producer.close();
    }
    return this.#written;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #write(): Promise<void> {
    const { topic, recordsPerSecond } = this.#options;
    while (!this.#stopped) {
      const due = Math.floor(((performance.now() - this.#startedMs) / 1_000) * recordsPerSecond) - this.#written;
      if (due > 0) {
        const first = this.#written;
        const records = Array.from({ length: due }, (_, index) => {
          const number = first + index;
          return { key: `key-${number % 997}`, value: `value ${number} of ${topic}` };
        });
        try {
          await this.#producer.transaction((transaction) =>
            transaction.send({ topic, records, key: stringSerde, value: stringSerde }),
          );
          this.#written += due;
        } catch (error) {
          // A broker that is down for a while: the transaction was aborted, and its records are written again.
          if (!EosError.is(error) || error.severity === "fatal") throw error;
        }
      }
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        setTimeout(resolve, TICK_MS);
      });
    }
  }
}
