import type { ByteReader } from "./byte-reader.ts";

/** Producer ids are opaque int64s handed back to the broker as they came, so they never become doubles. */
export function readProducerId(reader: ByteReader): bigint {
  const value = reader.buffer.readBigInt64BE(reader.position);
  reader.position += 8;
  return value;
}
