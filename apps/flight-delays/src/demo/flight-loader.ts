import { setTimeout as sleep } from "node:timers/promises";
import type { ProducedRecord } from "@eos/client";
import { createHeaders, EosError, type Headers, jsonSerde, stringSerde } from "@eos/core";
import { createTransactionalProducer } from "@eos/transactions";
import type { FlightRow } from "../dataset.ts";
import type { Flight } from "../flight.ts";

/** The header that says which row of the file a record is. It goes through the processor unchanged. */
const ROW_HEADER = "flight-row";

const TICK_MS = 100;
const MAX_ATTEMPTS = 10;

export interface LoadOptions {
  readonly brokers: readonly string[];
  readonly topic: string;
  readonly partitions: number;
  readonly transactionalId: string;
  /** The flights arrive evenly over this time: a stream, in which the crash then falls. */
  readonly durationMs: number;
  readonly signal: AbortSignal;
  readonly onProgress: (loaded: number) => void;
}

/**
 * Writes the rows to the topic in their order, a transaction every 100 ms. A row with a key goes where Java's producer
 * would put it, one without takes its turn.
 */
export async function loadFlights(rows: readonly FlightRow[], options: LoadOptions): Promise<void> {
  const { brokers, topic, partitions, transactionalId, durationMs, signal, onProgress } = options;
  await using producer = createTransactionalProducer({ brokers, transactionalId, clientId: transactionalId });
  await producer.start();
  const startedMs = performance.now();
  let loaded = 0;
  while (loaded < rows.length) {
    await sleep(TICK_MS, undefined, { signal });
    const due = Math.ceil(Math.min(1, (performance.now() - startedMs) / durationMs) * rows.length);
    const records = rows.slice(loaded, due).map((row, index) => toRecord(row, loaded + index, partitions));
    for (let attempt = 1; ; attempt += 1) {
      try {
        await producer.transaction((transaction) =>
          transaction.send({ topic, key: stringSerde, value: jsonSerde<Flight>(), records }),
        );
        break;
      } catch (error) {
        // Nothing of an aborted transaction is visible, so the same rows can be written again.
        if (!EosError.is(error) || error.severity !== "abortable" || attempt === MAX_ATTEMPTS) throw error;
      }
    }
    loaded = due;
    onProgress(loaded);
  }
}

/** The row, counted from 0, that a record with these headers is or comes from; −1 without one. */
export function rowOf(headers: Headers): number {
  const row = headers[ROW_HEADER];
  return Buffer.isBuffer(row) ? Number(row.toString("utf8")) : -1;
}

function toRecord(
  { key, timestamp, flight }: FlightRow,
  row: number,
  partitions: number,
): ProducedRecord<string, Flight> {
  return {
    key,
    value: flight,
    timestamp,
    headers: createHeaders({ [ROW_HEADER]: String(row) }),
    ...(key === null ? { partition: row % partitions } : {}),
  };
}
