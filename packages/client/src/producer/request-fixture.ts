import { ByteReader } from "../protocol/byte-reader.ts";
import { readProducerId } from "../protocol/producer-id.ts";
import type { KafkaRequest } from "../protocol/request.ts";

export interface ProducedBatch {
  readonly partition: number;
  readonly batch: Buffer;
}

/** What a Produce request carries, of all its topics. */
export function producedBatches(request: KafkaRequest): ProducedBatch[] {
  const reader = new ByteReader(Buffer.concat(request.body));
  reader.compactNullableString();
  reader.int16();
  reader.int32();
  return reader
    .compactArray((r) => {
      r.compactString();
      const partitions = r.compactArray((p) => {
        const batch = { partition: p.int32(), batch: p.compactBytes() ?? Buffer.alloc(0) };
        p.skipTags();
        return batch;
      });
      r.skipTags();
      return partitions;
    })
    .flat();
}

/** Transactional id, producer id and epoch: what most transactional requests begin with. */
export function transactionIds(request: KafkaRequest): { readonly epoch: number; readonly reader: ByteReader } {
  const reader = new ByteReader(request.body[0] as Buffer);
  reader.compactString();
  readProducerId(reader);
  return { epoch: reader.int16(), reader };
}

/** The partitions that an AddPartitionsToTxn announces. */
export function announcedPartitions(request: KafkaRequest): number[] {
  const { reader } = transactionIds(request);
  return reader
    .compactArray((r) => {
      r.compactString();
      const partitions = r.compactArray((p) => p.int32());
      r.skipTags();
      return partitions;
    })
    .flat();
}

/** The one offset that a TxnOffsetCommit or OffsetCommit carries. */
export function committedOffset(request: KafkaRequest): number {
  const reader = new ByteReader(request.body[0] as Buffer);
  if (request.apiName === "TxnOffsetCommit") {
    reader.compactString();
    reader.compactString();
    readProducerId(reader);
    reader.int16();
  } else {
    reader.compactString();
  }
  reader.int32();
  reader.compactString();
  reader.compactNullableString();
  const [offset] = reader
    .compactArray((r) => {
      r.compactString();
      const partitions = r.compactArray((p) => {
        p.int32();
        const committed = p.int64();
        p.int32();
        p.compactNullableString();
        p.skipTags();
        return committed;
      });
      r.skipTags();
      return partitions;
    })
    .flat();
  return offset as number;
}
