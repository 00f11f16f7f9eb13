import { join } from "node:path";
import { eosGroups, eosGroupsSingle, eosGroupsSticky, eosProcess, eosTask } from "./eos-rivals.ts";
import { javaProgram } from "./java-program.ts";
import { buildGo, buildJava, isInstalled, PEERS } from "./peer-build.ts";
import type { Program, Rival } from "./rival.ts";

/** The parallel collector: G1, the default here, was the slower one in every round. */
const JVM_FLAGS = ["-Xmx512m", "-XX:+UseParallelGC"];

/** `{ bootstrap: "h:1" }` → `["--bootstrap", "h:1"]`. */
function flags(options: Readonly<Record<string, string | number>>): string[] {
  return Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]);
}

function nodeProgram(script: string, options: Readonly<Record<string, string | number>>): Program {
  return { command: process.execPath, args: [join(PEERS, "kafkajs", script), ...flags(options)] };
}

/** Stock kafkajs. */
const kafkajs: Rival = {
  name: "kafkajs",
  copyRemark:
    "kafkajs' copy commits after every fetched batch, whatever the commit interval: its consumer cannot take back batches " +
    "that a later abort would undo. At full speed a batch takes about 100 ms; at low rates it commits far more often.",
  prepare: async () => undefined,
  copy: ({ bootstrapServers: bootstrap, group, input, output, serde, partitions }) =>
    nodeProgram("copy.mjs", { bootstrap, group, input, output, serde, partitions }),
  produce: ({ bootstrapServers: bootstrap, topic, records }) =>
    nodeProgram("produce.mjs", { bootstrap, topic, records }),
  consume: ({ bootstrapServers: bootstrap, group, topic, records, partitions }) =>
    nodeProgram("consume.mjs", { bootstrap, group, topic, records, partitions }),
  transaction: ({ bootstrapServers: bootstrap, group, input, output, transactions }) =>
    nodeProgram("transaction.mjs", { bootstrap, group, input, output, transactions }),
};

/** Java's plain consumer; the folder of its classes is known after `prepare`. */
function createJavaConsumer(): Rival {
  let folder = "";
  return {
    name: "java-consumer",
    prepare: async () => {
      folder = await buildJava();
      return undefined;
    },
    consume: ({ bootstrapServers: bootstrap, group, topic, records }) =>
      javaProgram(folder, "Consume", JVM_FLAGS, flags({ bootstrap, group, topic, records })),
  };
}

/** Java Kafka Streams; the folder of its classes is known after `prepare`. */
function createStreams(): Rival {
  let folder = "";
  return {
    name: "streams",
    prepare: async () => {
      folder = await buildJava();
      return undefined;
    },
    copy: ({ bootstrapServers: bootstrap, group, input, output, serde, commitIntervalMs, stateDirectory }) =>
      serde === "string"
        ? javaProgram(
            folder,
            "StreamsCopy",
            JVM_FLAGS,
            flags({
              bootstrap,
              group,
              input,
              output,
              "commit-interval-ms": commitIntervalMs,
              "state-dir": stateDirectory,
            }),
          )
        : undefined,
    store: ({ bootstrapServers: bootstrap, group, input, commitIntervalMs, stateDirectory }) =>
      javaProgram(
        folder,
        "StreamsUpsert",
        JVM_FLAGS,
        flags({ bootstrap, group, input, "commit-interval-ms": commitIntervalMs, "state-dir": stateDirectory }),
      ),
  };
}

/** franz-go's GroupTransactSession; the folder of its program is known after `prepare`. */
function createFranzGo(name: string, env: Readonly<Record<string, string>> = {}): Rival {
  let folder = "";
  return {
    name,
    prepare: async () => {
      if (!(await isInstalled("go", "version"))) return "there is no Go on PATH (https://go.dev/dl)";
      folder = await buildGo();
      return undefined;
    },
    copy: ({ bootstrapServers: bootstrap, group, input, output, serde, commitIntervalMs }) =>
      serde === "string"
        ? {
            command: join(folder, "copy"),
            args: flags({ bootstrap, group, input, output, "commit-interval-ms": commitIntervalMs }),
            env,
          }
        : undefined,
  };
}

/** All there are, by name. */
export const rivals: ReadonlyMap<string, Rival> = new Map(
  [
    eosProcess,
    eosTask,
    eosGroups,
    eosGroupsSingle,
    eosGroupsSticky,
    kafkajs,
    createJavaConsumer(),
    createStreams(),
    createFranzGo("franz-go"),
    createFranzGo("franz-go-gogc400", { GOGC: "400" }),
  ].map((rival) => [rival.name, rival]),
);
