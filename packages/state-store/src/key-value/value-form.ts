import type { Serde } from "@eos/core";
import type { StoredValue } from "../bytes/stored-value.ts";
import { type ReadRange, rangeReader } from "./range-reader.ts";

/** A value and the timestamp it was put with, ms since the epoch. */
export interface ValueAndTimestamp<V> {
  readonly value: V;
  readonly timestamp: number;
}

/** How a store shows its values, and is given them. */
export interface ValueForm<V> {
  read(topic: string, stored: StoredValue): V;
  /** @throws TypeError, SerdeError */
  serialize(topic: string, value: V): string | Uint8Array;
  /** The timestamp to store the value with. */
  timestampOf(value: V, recordTimestamp: number): number;
}

/** The value alone; its timestamp is that of the record being processed. */
export class PlainValue<V> implements ValueForm<V> {
  readonly #serde: Serde<V>;
  readonly #read: ReadRange<V>;

  constructor(serde: Serde<V>) {
    this.#serde = serde;
    this.#read = rangeReader(serde);
  }

  read(topic: string, { buffer, valueStart, valueEnd }: StoredValue): V {
    return this.#read(topic, buffer, valueStart, valueEnd);
  }

  serialize(topic: string, value: V): string | Uint8Array {
    if (value === undefined) throw new TypeError("a value to put must not be undefined; null deletes");
    return this.#serde.serialize(topic, value);
  }

  timestampOf(_value: V, recordTimestamp: number): number {
    return recordTimestamp;
  }
}

/** The value with its timestamp. */
export class TimestampedValue<V> implements ValueForm<ValueAndTimestamp<V>> {
  readonly #plain: PlainValue<V>;

  constructor(serde: Serde<V>) {
    this.#plain = new PlainValue(serde);
  }

  read(topic: string, stored: StoredValue): ValueAndTimestamp<V> {
    return { value: this.#plain.read(topic, stored), timestamp: stored.timestamp };
  }

  serialize(topic: string, given: ValueAndTimestamp<V>): string | Uint8Array {
    const { value, timestamp } = Object(given) as Partial<ValueAndTimestamp<V>>;
    if (value === undefined || value === null || !Number.isSafeInteger(timestamp)) {
      throw new TypeError(
        "a value to put must be { value, timestamp }, the timestamp a whole number of ms since the epoch; null deletes",
      );
    }
    return this.#plain.serialize(topic, value);
  }

  timestampOf(value: ValueAndTimestamp<V>): number {
    return value.timestamp;
  }
}
