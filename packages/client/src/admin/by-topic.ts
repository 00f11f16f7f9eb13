import type { TopicPartition } from "@eos/core";

/** Partitions as requests want them: under their topics. */
export function byTopic<T>(
  partitions: readonly TopicPartition[],
  each: (partition: TopicPartition) => T,
): { topic: string; partitions: T[] }[] {
  const topics = new Map<string, T[]>();
  for (const tp of partitions) {
    const items = topics.get(tp.topic);
    if (items === undefined) topics.set(tp.topic, [each(tp)]);
    else items.push(each(tp));
  }
  return [...topics].map(([topic, items]) => ({ topic, partitions: items }));
}
