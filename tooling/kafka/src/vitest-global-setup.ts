import type { TestProject } from "vitest/node";
import type { KafkaConnection } from "./kafka-cluster.ts";
import { resolveKafka } from "./resolve-kafka.ts";

let kafka: KafkaConnection | undefined;

/** Starts the one broker that all tests of a run share, or takes that of KAFKA_BROKERS. */
export async function setup(project: TestProject): Promise<void> {
  kafka = await resolveKafka();
  project.provide("bootstrapServers", kafka.bootstrapServers);
}

/** Ends it when the last test is done. */
export async function teardown(): Promise<void> {
  await kafka?.stop();
}
