import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Client, createClient, createProducer } from "@eos/client";
import { jsonSerde, stringSerde } from "@eos/core";
import { Program } from "@tooling/app-cli/testing";
import { type CommittedRecord, readCommitted } from "@tooling/kafka";
import { testBroker, uniqueName } from "@tooling/kafka/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Flight } from "../src/flight.ts";

const MAIN = new URL("../src/main.ts", import.meta.url);
const PARTITIONS = 4;
const FIRST_TIMESTAMP = Date.now();
const AIRPORTS = ["JFK", "LAX", "SFO", "ORD", "ATL", "SEA"];
const { bootstrapServers, brokers } = testBroker();

let client: Client;
let stateDir: string;
beforeAll(async () => {
  client = createClient({ brokers });
  await client.connect();
  stateDir = await mkdtemp(join(tmpdir(), "route-totals-"));
});
afterAll(async () => {
  await client.close();
  await rm(stateDir, { recursive: true });
});

async function createTopic(name: string): Promise<string> {
  const topic = uniqueName(name);
  await client.admin.createTopics([{ topic, partitions: PARTITIONS }]);
  return topic;
}

/** Flights between some airports; every tenth does not say how late it was. */
function flights(count: number): Flight[] {
  return Array.from({ length: count }, (_, index) => ({
    origin: AIRPORTS[index % AIRPORTS.length] as string,
    destination: AIRPORTS[(index * 7 + 1) % (AIRPORTS.length - 1)] as string,
    delay: index % 10 === 9 ? null : ((index * 37) % 200) - 30,
  }));
}

async function write(topic: string, values: readonly unknown[]): Promise<void> {
  await using producer = createProducer({ brokers });
  await producer.start();
  const records = values.map((value, index) => ({
    key: (value as Flight | null)?.origin ?? "?",
    value,
    timestamp: FIRST_TIMESTAMP + index,
  }));
  await producer.send({ topic, key: stringSerde, value: jsonSerde(), records });
}

/** Resolves once the group has committed everything in the topic. */
async function processed(topic: string, groupId: string): Promise<void> {
  const partitions = Array.from({ length: PARTITIONS }, (_, partition) => ({ topic, partition }));
  await expect
    .poll(
      async () => {
        const committed = await client.admin.committedOffsets(groupId, partitions);
        const ends = await client.admin.listOffsets(partitions, "latest", "read_uncommitted");
        return ends.every(({ partition, offset }) =>
          offset === 0 ? true : committed.some((of) => of.partition === partition && of.offset === offset),
        );
      },
      { timeout: 30_000, interval: 100 },
    )
    .toBe(true);
}

async function read(topic: string): Promise<CommittedRecord[]> {
  const records: CommittedRecord[] = [];
  for await (const record of readCommitted({ bootstrapServers, topic })) records.push(record);
  return records;
}

/** The rows of each route, as plain arithmetic gives them. */
function expectedRows(all: readonly Flight[]): Map<string, object[]> {
  const rows = new Map<string, object[]>();
  const delays = new Map<string, number[]>();
  for (const { origin, destination, delay } of all) {
    if (typeof delay !== "number") continue;
    const route = `${origin}-${destination}`;
    const ofRoute = [...(delays.get(route) ?? []), delay];
    delays.set(route, ofRoute);
    const totalDelay = ofRoute.reduce((sum, each) => sum + each, 0);
    const row = {
      route,
      flights: ofRoute.length,
      totalDelay,
      meanDelay: totalDelay / ofRoute.length,
      worstDelay: Math.max(...ofRoute),
    };
    rows.set(route, [...(rows.get(route) ?? []), row]);
  }
  return rows;
}

function rowsOf(records: readonly CommittedRecord[]): Map<string, object[]> {
  const rows = new Map<string, object[]>();
  for (const { key, value } of records) {
    const route = String(key);
    rows.set(route, [...(rows.get(route) ?? []), JSON.parse(String(value)) as object]);
  }
  return rows;
}

interface Application {
  readonly input: string;
  readonly output: string;
  readonly applicationId: string;
}

function startArguments({ input, output, applicationId }: Application): string[] {
  const topics = ["--input", input, "--output", output];
  return ["--brokers", brokers.join(","), "--application-id", applicationId, ...topics, "--state-dir", stateDir];
}

async function createApplication(): Promise<Application> {
  return { input: await createTopic("enriched"), output: uniqueName("totals"), applicationId: uniqueName("app") };
}

describe("route-totals", () => {
  it("tells the totals of every route after each of its flights, keeps them over a kill, and replays no more than a tail", async () => {
    const application = await createApplication();
    const { input, output, applicationId } = application;
    const all = flights(3_000);
    const args = [...startArguments(application), "--output-partitions", "2", "--replication-factor", "1"];
    const start = (): Program => new Program(MAIN, [...args, "--trace-source", "--session-timeout-ms", "6000"]);
    await write(input, [...all.slice(0, 1_000), null]);
    {
      await using killed = start();
      await killed.prints("REBALANCING → RUNNING");
      await killed.prints("state: 0 routes in 4 partitions, 0 records replayed");
      await processed(input, applicationId);
      killed.signal("SIGKILL");
      await killed.ended;
    }
    await write(input, all.slice(1_000));
    await using program = start();
    await program.prints("records replayed");
    await processed(input, applicationId);
    program.signal("SIGTERM");
    const { exitCode, stdout, stderr } = await program.ended;
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
    const [, routes, replayed] = /state: (\d+) routes in 4 partitions, (\d+) records replayed/.exec(stdout) ?? [];
    expect(Number(routes)).toBe(expectedRows(all.slice(0, 1_000)).size);
    // At most what was acknowledged when it died and not yet in LevelDB.
    expect(Number(replayed)).toBeLessThan(900);

    const records = await read(output);
    expect(rowsOf(records)).toEqual(expectedRows(all));
    const sources = new Set(records.map(({ headers }) => String(headers["eos-source"])));
    expect(sources.size).toBe(records.length);
    for (const source of sources) expect(source).toMatch(new RegExp(`^${input}-[0-3]@\\d+$`));
    for (const { timestamp } of records) expect(timestamp).toBeGreaterThanOrEqual(FIRST_TIMESTAMP);
    const changelog = await read(`${applicationId}-totals-changelog`);
    const state = new Map(changelog.map(({ key, value }) => [String(key), JSON.parse(String(value)) as object]));
    for (const [route, rows] of expectedRows(all)) expect(rows.at(-1)).toMatchObject(state.get(route) ?? {});
    expect(state.size).toBe(expectedRows(all).size);
  });

  it("gets its totals back from the changelog when its folder is gone, and shows how far it is", async () => {
    const application = await createApplication();
    const { input, output, applicationId } = application;
    const all = flights(2_000);
    const args = [...startArguments(application), "--output-partitions", "2", "--replication-factor", "1"];
    const run = async (values: readonly Flight[]): Promise<string> => {
      await write(input, values);
      await using program = new Program(MAIN, [...args, "--instances", "2"]);
      await program.prints("instance 1: REBALANCING → RUNNING");
      await program.prints("instance 2: REBALANCING → RUNNING");
      await processed(input, applicationId);
      program.signal("SIGINT");
      const { exitCode, stdout, stderr } = await program.ended;
      expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
      return stdout;
    };
    await run(all.slice(0, 1_000));
    await rm(join(stateDir, applicationId), { recursive: true });
    expect(await run(all.slice(1_000))).toMatch(/restored 900 records from the changelog in \d+\.\d s\n/);
    const records = await read(output);
    expect(rowsOf(records)).toEqual(expectedRows(all));
    for (const { headers } of records) expect({ ...headers }).toEqual({});
  });

  it("stops at a delay that is not a whole number, with one line that names its offset, and commits nothing of it", async () => {
    const application = await createApplication();
    const { input, output, applicationId } = application;
    await write(input, [
      { origin: "JFK", destination: "LAX", delay: 1 },
      { origin: "JFK", destination: "LAX", delay: 1.5 },
    ]);
    const args = [...startArguments(application), "--output-partitions", "2", "--replication-factor", "1"];
    await using program = new Program(MAIN, args);
    const { exitCode, stderr } = await program.ended;
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(new RegExp(`^route-totals: EOS_PROCESSING: .*${input}-\\d@1 .*delay.*\n$`));
    const state = await read(`${applicationId}-totals-changelog`);
    expect((await read(output)).length).toBe(state.length);
  });

  it.each([
    ["an input topic that does not exist", "none", "totals"],
    ["an output topic that does not exist", "enriched", "none"],
  ])("says in one line that there is %s, and ends with exit code 1", async (_what, inputName, outputName) => {
    const topic = (name: string): Promise<string> | string => (name === "none" ? uniqueName(name) : createTopic(name));
    const application = {
      input: await topic(inputName),
      output: await topic(outputName),
      applicationId: uniqueName("app"),
    };
    await using program = new Program(MAIN, startArguments(application));
    const { exitCode, stderr } = await program.ended;
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/^route-totals: EOS_UNKNOWN_TOPIC: .*none.* — .+\n$/);
  });

  it("ends with exit code 0 on Ctrl-C, also when it has only begun to connect", async () => {
    const application = {
      input: await createTopic("enriched"),
      output: await createTopic("totals"),
      applicationId: "a",
    };
    await using program = new Program(MAIN, startArguments(application));
    await program.prints("CREATED → REBALANCING");
    program.signal("SIGINT");
    expect(await program.ended).toMatchObject({ exitCode: 0, stderr: "" });
  });

  it("refuses an unknown option with exit code 2", async () => {
    const application = { input: "i", output: "o", applicationId: "a" };
    await using program = new Program(MAIN, [...startArguments(application), "--statedir", "x"]);
    const { exitCode, stdout, stderr } = await program.ended;
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: "" });
    expect(stderr).toContain('did you mean "state-dir"?');
    expect(stderr).toContain("Try --help.");
  });

  it("prints its options with --help", async () => {
    await using program = new Program(MAIN, ["--help"]);
    const { exitCode, stdout, stderr } = await program.ended;
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
    expect(stdout).toContain("--state-dir <folder>");
  });
});
