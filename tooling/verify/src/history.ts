/** One input partition as it was written. */
export interface InputPartition {
  readonly topic: string;
  readonly partition: number;
  /** The offsets of its records, ascending. Markers and compaction leave holes, so a count is not enough. */
  readonly offsets: readonly number[];
}

/** An output record as a read-committed reader saw it. */
export interface OutputRecord {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  /** Its header `eos-source`: which input record caused it, as `<topic>-<partition>@<offset>`. */
  readonly source: string;
}

/** What the application's group had committed when the output was read: the next offset to process. */
export interface CommittedOffset {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
}

/** A finished run: what went in, what came out, and how far the group says it got. One output is due per input. */
export interface History {
  readonly inputs: readonly InputPartition[];
  /** In the order in which they were read: within a partition, by offset. */
  readonly outputs: readonly OutputRecord[];
  readonly committed: readonly CommittedOffset[];
}

/** A position in a topic, and how it is written. */
export interface SourcePosition {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
}

const SOURCE = /^(.+)-(\d+)@(\d+)$/;

export function formatSource({ topic, partition, offset }: SourcePosition): string {
  return `${topic}-${partition}@${offset}`;
}

/** @throws RangeError when the text is not `<topic>-<partition>@<offset>` */
export function parseSource(text: string): SourcePosition {
  const match = SOURCE.exec(text);
  if (match === null) throw new RangeError(`"${text}" is not <topic>-<partition>@<offset>`);
  const [, topic, partition, offset] = match as unknown as [string, string, string, string];
  return { topic, partition: Number(partition), offset: Number(offset) };
}

/** The offsets of a partition that was written without transactions and not compacted. */
export function contiguousOffsets(end: number, start = 0): number[] {
  return Array.from({ length: Math.max(0, end - start) }, (_, index) => start + index);
}
