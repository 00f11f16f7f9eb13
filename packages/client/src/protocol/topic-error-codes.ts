import type { ByteReader } from "./byte-reader.ts";

/** What AddPartitionsToTxn, TxnOffsetCommit and OffsetCommit answer for one topic. */
export interface TopicErrorCodes {
  readonly topic: string;
  readonly partitions: readonly { readonly partition: number; readonly errorCode: number }[];
}

/** `[name [partition error_code TAG] TAG]`, compact. */
export function readTopicErrorCodes(reader: ByteReader): TopicErrorCodes[] {
  return reader.compactArray((r) => {
    const topic = r.compactString();
    const partitions = r.compactArray((p) => {
      const result = { partition: p.int32(), errorCode: p.int16() };
      p.skipTags();
      return result;
    });
    r.skipTags();
    return { topic, partitions };
  });
}
