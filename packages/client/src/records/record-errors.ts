import { EosError, SerdeError } from "@eos/core";

/** A single record is larger than a record batch may be. Code `EOS_RECORD_TOO_LARGE`, abortable. */
export class RecordTooLargeError extends EosError {
  readonly sizeInBytes: number;
  readonly maxBytes: number;

  constructor(sizeInBytes: number, maxBytes: number) {
    super(`A record of ${sizeInBytes} bytes does not fit into a batch of at most ${maxBytes} bytes`, {
      code: "EOS_RECORD_TOO_LARGE",
      severity: "abortable",
      hint: "Send less per record, or raise max.message.bytes of the topic and the client's message size limit together",
    });
    this.sizeInBytes = sizeInBytes;
    this.maxBytes = maxBytes;
  }
}

/**
 * Fetched bytes are not what was written. Code `EOS_CORRUPT_RECORD`, fatal: they were fetched again a few times in case
 * they are damaged on the way only, so the log itself is damaged.
 */
export class CorruptRecordError extends EosError {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;

  constructor(topic: string, partition: number, offset: number, what: string, cause?: unknown) {
    super(`What is at ${topic}-${partition}@${offset} is corrupt: ${what}`, {
      code: "EOS_CORRUPT_RECORD",
      severity: "fatal",
      hint: "Fetching again did not help, so the broker's log is damaged: look at its disk and at the other replicas",
      cause,
    });
    this.topic = topic;
    this.partition = partition;
    this.offset = offset;
  }
}

/** A batch in a form that is not read here (message format 0 or 1, numbers above 2^53). Code `EOS_UNSUPPORTED_BATCH`, fatal. */
export class UnsupportedBatchError extends EosError {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;

  constructor(topic: string, partition: number, offset: number, what: string) {
    super(`Record batch ${topic}-${partition}@${offset} cannot be read: ${what}`, {
      code: "EOS_UNSUPPORTED_BATCH",
      severity: "fatal",
      hint: "Record batches of message format 2 (Kafka 0.11 and later) are read, with timestamps and offsets below 2^53",
    });
    this.topic = topic;
    this.partition = partition;
    this.offset = offset;
  }
}

/** A compression codec that is not there. Code `EOS_CODEC_MISSING`, fatal. */
export class MissingCodecError extends EosError {
  readonly codec: string;

  constructor(codec: string, hint: string) {
    super(`Compression codec ${codec} is not available`, { code: "EOS_CODEC_MISSING", severity: "fatal", hint });
    this.codec = codec;
  }
}

/** A fetched key or value that its serde cannot read (Kafka's `RecordDeserializationException`). Code `EOS_SERDE`, abortable. */
export class RecordDeserializationError extends SerdeError {
  readonly partition: number;
  readonly offset: number;
  readonly origin: "key" | "value";

  constructor(topic: string, partition: number, offset: number, origin: "key" | "value", cause: unknown) {
    super(`The ${origin} of ${topic}-${partition}@${offset} cannot be deserialised: ${messageOf(cause)}`, {
      topic,
      hint: EosError.is(cause) ? cause.hint : undefined,
      cause,
    });
    this.partition = partition;
    this.offset = offset;
    this.origin = origin;
  }
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
