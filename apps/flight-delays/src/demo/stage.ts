import { randomBytes } from "node:crypto";
import { type Client, createClient } from "@eos/client";
import { changelogTopicName } from "@eos/state-store";
import { resolveKafka } from "@tooling/kafka";
import type { CleanUp } from "./clean-up.ts";
import type { Screen } from "./screen.ts";
import { StateFolder } from "./state-folder.ts";
import { TOTALS_STORE } from "./totals-on-disk.ts";
import { TopicsView } from "./topics-view.ts";

/** As many in all topics, so each partition of the enriched flights is fed by the input partition of the same number alone. */
const PARTITIONS = 8;

/** An app of the demo, seen from outside. */
export interface Application {
  readonly applicationId: string;
  readonly input: string;
  readonly output: string;
  readonly view: TopicsView;
}

/** The app that counts per route, on what the other one writes. */
export interface TotalsApplication extends Application {
  readonly changelog: string;
  readonly stateDir: string;
  readonly changelogView: TopicsView;
}

/** What the demo plays on: a cluster with new topics. */
export interface Stage {
  readonly bootstrapServers: string;
  readonly brokers: readonly string[];
  readonly partitions: number;
  readonly enrichment: Application;
  readonly totals: TotalsApplication;
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
  const named = (name: string): string => `${name}${suffix}`;
  const topics = [named("flights"), named("flights-enriched"), named("route-totals")] as const;
  const [flights, enriched, rows] = topics;
  const totalsId = named("route-totals");
  const changelog = changelogTopicName(totalsId, TOTALS_STORE);
  let isKept = isOwn;
  await cleanUp.own(
    () => createTopics(client, topics),
    async () => {
      if (!isKept) await client.admin.deleteTopics([...topics, changelog]);
    },
  );
  const folder = await cleanUp.own(
    () => StateFolder.create(),
    (created) => created.remove(),
  );
  ready(`${isOwn ? "started for the demo" : "the cluster of KAFKA_BROKERS"}: ${bootstrapServers}`);
  screen.note(`topics ${topics.join(", ")}, ${PARTITIONS} partitions each`);
  const viewOf = (input: string, output: string, groupId: string): TopicsView =>
    new TopicsView({ client, input, output, partitions: PARTITIONS, groupId });
  const enrichmentId = named("flight-delays");
  return {
    bootstrapServers,
    brokers,
    partitions: PARTITIONS,
    enrichment: {
      applicationId: enrichmentId,
      input: flights,
      output: enriched,
      view: viewOf(flights, enriched, enrichmentId),
    },
    totals: {
      applicationId: totalsId,
      input: enriched,
      output: rows,
      changelog,
      stateDir: folder.path,
      view: viewOf(enriched, rows, totalsId),
      changelogView: viewOf(enriched, changelog, totalsId),
    },
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
