import type { TopicPartition } from "@eos/core";

/** What a member had, and in which generation of the group it was given it. */
export interface PreviousAssignment {
  readonly partitions: readonly TopicPartition[];
  /** −1 when the member did not say. */
  readonly generationId: number;
}

const NOTHING: PreviousAssignment = { partitions: [], generationId: -1 };

/**
 * The user data of Java's `StickyAssignor` (`StickyAssignorUserData` v1).
 *
 * ```
 * UserData => previousAssignment:[topic:string [partition:int32]] generation:int32
 * ```
 */
export function encodePreviousAssignment({ partitions, generationId }: PreviousAssignment): Buffer {
  const byTopic = new Map<string, number[]>();
  for (const { topic, partition } of partitions) {
    const ofTopic = byTopic.get(topic);
    if (ofTopic === undefined) byTopic.set(topic, [partition]);
    else ofTopic.push(partition);
  }
  const chunks = [int32(byTopic.size)];
  for (const [topic, ofTopic] of byTopic) {
    const name = Buffer.from(topic, "utf8");
    const length = Buffer.alloc(2);
    length.writeInt16BE(name.length);
    chunks.push(length, name, int32(ofTopic.length), ...ofTopic.map(int32));
  }
  return Buffer.concat([...chunks, int32(generationId)]);
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}

/** Reads v1, and v0, which has no generation. A member whose bytes are damaged owned nothing, as in Java. */
export function decodePreviousAssignment(userData: Buffer | null): PreviousAssignment {
  if (userData === null) return NOTHING;
  try {
    let position = 0;
    const readInt32 = () => {
      position += 4;
      return userData.readInt32BE(position - 4);
    };
    const partitions: TopicPartition[] = [];
    for (let topicsLeft = readInt32(); topicsLeft > 0; topicsLeft--) {
      const start = position + 2;
      const end = start + userData.readUInt16BE(position);
      const topic = userData.toString("utf8", start, end);
      position = end;
      for (let left = readInt32(); left > 0; left--) partitions.push({ topic, partition: readInt32() });
    }
    const hasGeneration = position + 4 <= userData.length;
    return { partitions, generationId: hasGeneration ? readInt32() : -1 };
  } catch (error) {
    if (error instanceof RangeError) return NOTHING;
    throw error;
  }
}
