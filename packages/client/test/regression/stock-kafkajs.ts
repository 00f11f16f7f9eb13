import { testBroker, uniqueName } from "@tooling/kafka/testing";
// oxlint-disable-next-line no-restricted-imports -- kafkajs itself is what these tests compare with
import {
  Kafka,
  type KafkaConfig,
  type KafkaMessage,
  logLevel,
  type Producer,
  type RetryOptions,
  type Transaction,
} from "kafkajs";

/** kafkajs as it comes, on the shared broker: what the repairs are measured against. */
export function stockKafka(config: Partial<KafkaConfig> = {}): Kafka {
  return new Kafka({ clientId: "stock", brokers: testBroker().brokers, logLevel: logLevel.NOTHING, ...config });
}

/** Connected, with one request in flight, as its documentation asks for. */
export async function stockTransactionalProducer(
  kafka: Kafka,
  { transactionalId = uniqueName("stock-tx"), retry }: { transactionalId?: string; retry?: RetryOptions } = {},
): Promise<Producer> {
  const producer = kafka.producer({
    transactionalId,
    maxInFlightRequests: 1,
    // It wants retries for an idempotent producer; a transactional one has sequences either way.
    ...(retry === undefined ? { idempotent: true } : { retry }),
  });
  await producer.connect();
  return producer;
}

/** Sends one record in a transaction of its own: readers stop at it. */
export async function commitSentinel(producer: Producer, topic: string): Promise<void> {
  const transaction = await producer.transaction();
  await sendText(transaction, topic, SENTINEL);
  await transaction.commit();
}

export async function sendText(to: Producer | Transaction, topic: string, ...values: string[]): Promise<void> {
  await to.send({ topic, messages: values.map((value) => ({ value, partition: 0 })) });
}

export const SENTINEL = "the end";

/** What stock kafkajs delivers of a one-partition topic from the group's offset (or the start) up to the sentinel. */
export async function stockRead(topic: string, groupId: string = uniqueName("stock-group")): Promise<KafkaMessage[]> {
  const consumer = stockKafka().consumer({ groupId, maxWaitTimeInMs: 50 });
  const messages: KafkaMessage[] = [];
  await consumer.connect();
  try {
    await consumer.subscribe({ topics: [topic], fromBeginning: true });
    await new Promise<void>((resolve, reject) => {
      // It restarts itself after whatever it takes for passing, as a coordinator that is loading.
      consumer.on(consumer.events.CRASH, ({ payload }) => payload.restart || reject(payload.error));
      consumer
        .run({
          autoCommit: false,
          eachMessage: ({ message }) => {
            if (message.value?.toString() === SENTINEL) resolve();
            else messages.push(message);
            return Promise.resolve();
          },
        })
        .catch(reject);
    });
  } finally {
    await consumer.disconnect();
  }
  return messages;
}

export async function stockReadValues(topic: string, groupId?: string): Promise<string[]> {
  return (await stockRead(topic, groupId)).map(({ value }) => String(value));
}
