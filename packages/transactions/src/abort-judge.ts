import { BrokerError, isConnectionLoss, isGroupFence, ProducerFencedError, TransactionAbortedError } from "@eos/client";
import { EosError, type Logger, notify, type Observer } from "@eos/core";
import { NoProgressError } from "./errors.ts";
import type { ProcessorMetrics } from "./processor-metrics.ts";

/** `'abort'`: back to the committed offsets; `'fenced'`: first with proof of membership; `'rejoin'`: the group has gone on. */
export type AbortVerdict = "abort" | "fenced" | "rejoin" | "fatal";

export interface AbortJudgeOptions {
  readonly transactionalId: string | null;
  readonly logger: Logger;
  readonly observer: Observer;
  readonly metrics: ProcessorMetrics;
  readonly onFenced: (error: ProducerFencedError) => void;
}

/** So many aborts in a row without a commit between them are no passing trouble. */
const MAX_ABORTS_IN_A_ROW = 5;

/** Says what is to be done about a transaction that failed, and tells of it. */
export class AbortJudge {
  readonly #options: AbortJudgeOptions;
  #abortsInARow = 0;

  constructor(options: AbortJudgeOptions) {
    this.#options = options;
  }

  /** There is progress. */
  committed(): void {
    this.#abortsInARow = 0;
  }

  judge(error: unknown): AbortVerdict {
    if (isGroupFence(error)) return "rejoin";
    if (error instanceof ProducerFencedError) return "fenced";
    if (isConnectionLoss(error)) return "abort";
    if (error instanceof TransactionAbortedError) {
      if (error.connectionLost) return "abort";
      return ++this.#abortsInARow >= MAX_ABORTS_IN_A_ROW ? "fatal" : "abort";
    }
    return EosError.is(error) && error.severity !== "fatal" ? "abort" : "fatal";
  }

  /** What stops the processor after the verdict `'fatal'`. */
  fatalError(error: unknown): unknown {
    return this.#abortsInARow >= MAX_ABORTS_IN_A_ROW ? new NoProgressError(this.#abortsInARow, error) : error;
  }

  report(error: unknown): void {
    const { logger, metrics, observer, onFenced } = this.#options;
    const transactionalId = this.#options.transactionalId ?? "";
    const cause = causeOf(error);
    metrics.aborted(cause);
    logger.warn({ transactionalId, cause, err: error }, "a transaction was aborted; its records are processed again");
    notify(observer, "transactionAborted", { transactionalId, cause, error });
    if (error instanceof ProducerFencedError) {
      metrics.fenced();
      notify(observer, "producerFenced", { transactionalId, error });
      onFenced(error);
    }
  }
}

/** One word for the metrics: the broker's error name where there is one. */
function causeOf(error: unknown): string {
  if (error instanceof TransactionAbortedError) return error.connectionLost ? "CONNECTION_LOST" : causeOf(error.cause);
  if (error instanceof BrokerError) return error.kafkaName;
  if (isConnectionLoss(error)) return "CONNECTION_LOST";
  return EosError.is(error) ? error.code : "ERROR";
}
