import type { Serde } from "@eos/core";

/** Reads a key or a value that lies in a buffer of a store. */
export type ReadRange<T> = (topic: string, source: Buffer, start: number, end: number) => T;

/**
 * How a serde reads what a store holds. Bytes are copied: a view would keep what lies beside them in memory, and who
 * writes to it would change the store behind its back.
 */
export function rangeReader<T>(serde: Serde<T>): ReadRange<T> {
  if (serde.deserializeRange === undefined) {
    return (topic, source, start, end) => serde.deserialize(topic, Buffer.from(source.subarray(start, end)));
  }
  const ranged = serde as Required<Serde<T>>;
  return (topic, source, start, end) => {
    const value = ranged.deserializeRange(topic, source, start, end);
    return value instanceof Uint8Array && value.buffer === source.buffer ? (Buffer.from(value) as T & Buffer) : value;
  };
}
