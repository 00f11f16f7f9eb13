import { randomBytes } from "node:crypto";
import { type Client, createClient } from "@eos/client";
import { resolveKafka } from "@tooling/kafka";
import type { CleanUp } from "./clean-up.ts";
import type { Screen } from "./screen.ts";
import { TopicsView } from "./topics-view.ts";

/** As many in both topics, so each output partition is fed by the input partition of the same number alone. */
const PARTITIONS = 8;

/** What the demo plays on: a cluster with two new topics. */
export interface Stage {
  readonly bootstrapServers: string;
  readonly brokers: readonly string[];
  readonly input: string;
  readonly output: string;
  readonly partitions: number;
  readonly applicationId: string;
  readonly view: TopicsView;
  /** Leaves the topics on somebody else's cluster after the end, to be looked at. */
  keepTopics(): void;
}

/** @throws BrokerError when there is no cluster to be had; ConnectionError */
export async function setStage(screen: Screen, cleanUp: CleanUp): Promise<Stage> {
  const ready = screen.phase("Kafka", "a cluster to work with");
  const kafka = await cleanUp.own(
    () => resolveKafka(),
    (started) => started.stop(),
  );
  const isOwn = kafka.origin !== "KAFKA_BROKERS";
  const { bootstrapServers } = kafka;
  const brokers = bootstrapServers.split(",").map((address) => address.trim());
  const client = await cleanUp.own(
    () => createClient({ brokers, clientId: "flight-delays-demo" }),
    (opened) => opened.close(),
  );
  await client.connect();
  // On a cluster of somebody else nothing may be met that is there already.
  const suffix = isOwn ? "" : `-${randomBytes(4).toString("hex")}`;
  const [input, output] = [`flights${suffix}`, `flights-enriched${suffix}`];
  let isKept = isOwn;
  await cleanUp.own(
    () => createTopics(client, [input, output]),
    async () => {
      if (!isKept) await client.admin.deleteTopics([input, output]);
    },
  );
  ready(`${isOwn ? "started for the demo" : "the cluster of KAFKA_BROKERS"}: ${bootstrapServers}`);
  screen.note(`topics ${input} and ${output}, ${PARTITIONS} partitions each`);
  const applicationId = `flight-delays${suffix}`;
  return {
    bootstrapServers,
    brokers,
    input,
    output,
    partitions: PARTITIONS,
    applicationId,
    view: new TopicsView({ client, input, output, partitions: PARTITIONS, groupId: applicationId }),
    keepTopics: () => {
      isKept = true;
    },
  };
}

function createTopics(client: Client, topics: readonly string[]): Promise<void> {
  // By their event time these flights are decades old: with the usual retention they would be deleted at once.
  const config = { "retention.ms": "-1" };
  return client.admin.createTopics(topics.map((topic) => ({ topic, partitions: PARTITIONS, config })));
}
