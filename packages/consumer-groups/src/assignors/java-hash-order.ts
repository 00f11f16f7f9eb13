/**
 * Some of Java's assignors go through a `HashMap`, and where two members have the same right to a partition its order
 * decides. So that a group keeps its partitions when its leader is a Java consumer the one time and ours the other,
 * that order is part of what is to be equal.
 *
 * Left out: what `HashMap` does to a bucket that nine keys fall into.
 */

/** `String.hashCode`. */
export function javaStringHash(text: string): number {
  let hash = 0;
  for (let i = 0; i < text.length; i++) hash = (Math.imul(31, hash) + text.charCodeAt(i)) | 0;
  return hash;
}

/** `TopicPartition.hashCode`. */
export function javaPartitionHash(topic: string, partition: number): number {
  return (Math.imul(31, 31 + partition) + javaStringHash(topic)) | 0;
}

/** The buckets of a `HashMap` that `size` keys were put into: 16, doubled whenever it is more than three quarters full. */
export function javaBuckets(size: number): number {
  let buckets = 16;
  while (size > buckets * 0.75) buckets *= 2;
  return buckets;
}

/** The bucket that a key falls into. A `HashMap` is iterated by bucket, and in a bucket as the keys were put. */
export function javaBucket(hash: number, buckets: number): number {
  return (hash ^ (hash >>> 16)) & (buckets - 1);
}

/** The indexes of `keys` in the order in which a `HashMap` iterates that the keys were put into one by one. */
export function javaHashOrder(keys: readonly string[]): number[] {
  const buckets = javaBuckets(keys.length);
  const placed = keys.map((key, index) => ({ index, bucket: javaBucket(javaStringHash(key), buckets) }));
  return placed.sort((a, b) => a.bucket - b.bucket).map(({ index }) => index);
}
