import { HeaderEncoder } from "@eos/client";
import type { Headers, RecordSink } from "@eos/core";
import type { SimulatedRecord } from "./simulated-partition.ts";

/** What a task writes to one partition, until it is produced. */
export class SimulatedSink implements RecordSink {
  readonly #produce: (records: readonly SimulatedRecord[]) => number;
  readonly #headers = new HeaderEncoder();
  #open: SimulatedRecord[] = [];
  #sealed: SimulatedRecord[] = [];
  endOffset = -1;

  /** @param produce - returns the offset behind the last record */
  constructor(produce: (records: readonly SimulatedRecord[]) => number) {
    this.#produce = produce;
  }

  append(
    key: Buffer,
    keyStart: number,
    keyEnd: number,
    value: string | Uint8Array | null,
    timestamp: number,
    headers?: Headers,
  ): void {
    this.#open.push({
      key: Buffer.from(key.subarray(keyStart, keyEnd)),
      value: value === null ? null : typeof value === "string" ? Buffer.from(value) : Buffer.from(value),
      timestamp,
      headers: headers === undefined ? null : this.#encode(headers),
    });
  }

  /** No record is too large here. */
  checkRecordSize(): void {}

  /** What was appended so far is the transaction that commits. */
  seal(): void {
    this.#sealed = this.#open;
    this.#open = [];
  }

  produceSealed(): void {
    if (this.#sealed.length > 0) this.endOffset = this.#produce(this.#sealed);
    this.#sealed = [];
  }

  /** A full batch leaves before its transaction is about to commit. */
  produceOpen(): void {
    this.seal();
    this.produceSealed();
  }

  drop(): void {
    this.#open = [];
    this.#sealed = [];
  }

  #encode(headers: Headers): Buffer {
    this.#headers.encode(headers);
    return Buffer.from(this.#headers.buffer.subarray(0, this.#headers.length));
  }
}
