import {
  type BatchProducer,
  type FetchedRecord,
  HeaderEncoder,
  type OutputTopic as ProducerTopic,
  partitionForKey,
  UnknownPartitionError,
} from "@eos/client";
import type { OutgoingRecord } from "@eos/core";
import { InvalidTransformResultError } from "./errors.ts";
import type { ResolvedOutput } from "./options.ts";

interface Target<K, V> {
  readonly output: ResolvedOutput<K, V>;
  readonly topic: ProducerTopic;
}

/** A record of several, serialised before any of them is appended: a later one that fails leaves none behind. */
interface Serialised<K, V> {
  readonly target: Target<K, V>;
  readonly partition: number;
  readonly timestamp: number;
  readonly key: Buffer | null;
  readonly value: string | Uint8Array | null;
  readonly headers: Buffer;
}

/**
 * Writes what `transform` returned into the producer's open batches. What the result leaves out is copied from the
 * input's bytes: neither key nor headers are decoded for it.
 */
export class OutputWriter<K, V> {
  readonly #producer: BatchProducer;
  readonly #targets = new Map<string, Target<K, V>>();
  /** `null`: the processor only keeps state. */
  readonly #first: Target<K, V> | null;
  readonly #headers = new HeaderEncoder();
  #scratch = Buffer.allocUnsafeSlow(4096);

  private constructor(producer: BatchProducer, targets: readonly Target<K, V>[]) {
    this.#producer = producer;
    for (const target of targets) this.#targets.set(target.output.topic, target);
    this.#first = targets[0] ?? null;
  }

  static async create<K, V>(
    producer: BatchProducer,
    outputs: readonly ResolvedOutput<K, V>[],
  ): Promise<OutputWriter<K, V>> {
    const targets = await Promise.all(
      outputs.map(async (output) => ({ output, topic: await producer.topic(output.topic) })),
    );
    return new OutputWriter(producer, targets);
  }

  /**
   * @throws InvalidTransformResultError, SerdeError, UnknownPartitionError, RecordTooLargeError: nothing was written.
   */
  write(input: FetchedRecord<unknown, unknown>, result: OutgoingRecord<K, V> | readonly OutgoingRecord<K, V>[]): void {
    if (!Array.isArray(result)) {
      this.#writeOne(input, result as OutgoingRecord<K, V>);
      return;
    }
    const records = result as readonly OutgoingRecord<K, V>[];
    if (records.length === 1) this.#writeOne(input, records[0] as OutgoingRecord<K, V>);
    else for (const record of records.map((out) => this.#serialise(input, out))) this.#append(record);
  }

  #writeOne(input: FetchedRecord<unknown, unknown>, out: OutgoingRecord<K, V>): void {
    const target = this.#target(out);
    const { topic, output } = target;
    let keySource = input.buffer;
    let keyStart = input.keyStart;
    let keyEnd = input.keyEnd;
    if (out.key !== undefined) {
      const key = out.key === null ? null : this.#keyBytes(output.key.serialize(topic.name, out.key, out.headers));
      keySource = key ?? input.buffer;
      keyStart = key === null ? -1 : 0;
      keyEnd = key === null ? -1 : key.length;
    }
    const value = out.value === null ? null : output.value.serialize(topic.name, out.value, out.headers);
    let headersSource: Buffer | null = input.buffer;
    let headersStart = input.headersStart;
    let headersEnd = input.headersEnd;
    if (out.headers !== undefined) {
      this.#headers.encode(out.headers);
      headersSource = this.#headers.buffer;
      headersStart = 0;
      headersEnd = this.#headers.length;
    }
    const partition = this.#partition(topic, out.partition, input.partition, keySource, keyStart, keyEnd);
    this.#producer.append(
      topic.partitions[partition]!,
      out.timestamp ?? input.timestamp,
      keySource,
      keyStart,
      keyEnd,
      value,
      headersSource,
      headersStart,
      headersEnd,
    );
  }

  #serialise(input: FetchedRecord<unknown, unknown>, out: OutgoingRecord<K, V>): Serialised<K, V> {
    const target = this.#target(out);
    const { topic, output } = target;
    const { buffer, keyStart, keyEnd, headersStart, headersEnd } = input;
    let key: Buffer | null = keyStart < 0 ? null : buffer.subarray(keyStart, keyEnd);
    if (out.key === null) key = null;
    else if (out.key !== undefined) key = Buffer.from(output.key.serialize(topic.name, out.key, out.headers));
    const value = out.value === null ? null : output.value.serialize(topic.name, out.value, out.headers);
    let headers = buffer.subarray(headersStart, headersEnd);
    if (out.headers !== undefined) {
      this.#headers.encode(out.headers);
      headers = Buffer.from(this.#headers.buffer.subarray(0, this.#headers.length));
    }
    const timestamp = out.timestamp ?? input.timestamp;
    const valueBytes = typeof value === "string" ? Buffer.byteLength(value) : (value?.length ?? 0);
    this.#producer.checkRecordSize((key?.length ?? 0) + valueBytes + headers.length);
    return {
      target,
      partition: this.#partition(
        topic,
        out.partition,
        input.partition,
        key ?? buffer,
        key === null ? -1 : 0,
        key?.length ?? -1,
      ),
      timestamp,
      key,
      value,
      headers,
    };
  }

  #append({ target, partition, timestamp, key, value, headers }: Serialised<K, V>): void {
    this.#producer.append(
      target.topic.partitions[partition]!,
      timestamp,
      key ?? EMPTY,
      key === null ? -1 : 0,
      key === null ? -1 : key.length,
      value,
      headers,
      0,
      headers.length,
    );
  }

  #target(out: OutgoingRecord<K, V>): Target<K, V> {
    if (typeof out !== "object" || out === null) throw new InvalidTransformResultError(describe(out));
    if (out.value === undefined) throw new InvalidTransformResultError("a record without a value");
    if (this.#first === null) throw new InvalidTransformResultError("a record, and the processor has no output");
    if (out.topic === undefined) return this.#first;
    const target = this.#targets.get(out.topic);
    if (target === undefined) {
      throw new InvalidTransformResultError(
        `a record for topic ${JSON.stringify(out.topic)}, which is not among the outputs (${[...this.#targets.keys()].join(", ")})`,
      );
    }
    return target;
  }

  /** Java's rule: murmur2 of the key. Without a key the record stays in the partition number it came from. */
  #partition(
    topic: ProducerTopic,
    asked: number | undefined,
    inputPartition: number,
    keySource: Buffer,
    keyStart: number,
    keyEnd: number,
  ): number {
    const count = topic.partitions.length;
    if (asked !== undefined) {
      // Stock kafkajs drops a record for a partition that does not exist, and reports success.
      if (!Number.isInteger(asked) || asked < 0 || asked >= count) {
        throw new UnknownPartitionError({ topic: topic.name, partition: asked, partitionCount: count });
      }
      return asked;
    }
    return keyStart < 0 ? inputPartition % count : partitionForKey(keySource, keyStart, keyEnd, count);
  }

  #keyBytes(key: string | Uint8Array): Buffer {
    if (typeof key !== "string")
      return Buffer.isBuffer(key) ? key : Buffer.from(key.buffer, key.byteOffset, key.length);
    if (key.length * 3 > this.#scratch.length) this.#scratch = Buffer.allocUnsafeSlow(key.length * 3);
    return this.#scratch.subarray(0, this.#scratch.write(key, 0));
  }
}

const EMPTY = Buffer.alloc(0);

function describe(value: unknown): string {
  if (value === null) return "null inside an array";
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}
