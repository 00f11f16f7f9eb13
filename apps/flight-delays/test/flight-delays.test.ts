import { type Client, createClient } from "@eos/client";
import { createHeaders, stringSerde } from "@eos/core";
import { createTransactionalProducer } from "@eos/transactions";
import { Program } from "@tooling/app-cli/testing";
import { type CommittedRecord, readCommitted } from "@tooling/kafka";
import { testBroker, uniqueName } from "@tooling/kafka/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readAirports } from "../src/airports.ts";
import { readFlights } from "../src/dataset.ts";
import { enrichFlight } from "../src/topology.ts";

const MAIN = new URL("../src/main.ts", import.meta.url);
const PARTITIONS = 4;
const { bootstrapServers, brokers } = testBroker();

let client: Client;
beforeAll(async () => {
  client = createClient({ brokers });
  await client.connect();
});
afterAll(() => client.close());

interface Written {
  readonly key: string | null;
  readonly value: string | null;
  readonly timestamp: number;
  readonly row: string;
}

async function createTopic(name: string): Promise<string> {
  const topic = uniqueName(name);
  await client.admin.createTopics([{ topic, partitions: PARTITIONS }]);
  return topic;
}

async function write(topic: string, records: readonly Written[]): Promise<void> {
  await using producer = createTransactionalProducer({ brokers, transactionalId: uniqueName("writer") });
  await producer.start();
  await producer.transaction((transaction) =>
    transaction.send({
      topic,
      key: stringSerde,
      value: stringSerde,
      records: records.map(({ row, ...record }) => ({ ...record, headers: createHeaders({ row }) })),
    }),
  );
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

function startArguments(input: string, output: string, applicationId: string): string[] {
  return ["--brokers", brokers.join(","), "--application-id", applicationId, "--input", input, "--output", output];
}

describe("flight-delays", () => {
  it("enriches every flight once, with --trace-source naming the input, and ends with exit code 0 on SIGTERM", async () => {
    const [input, output, applicationId] = [await createTopic("flights"), uniqueName("enriched"), uniqueName("app")];
    const airports = await readAirports();
    const rows = (await readFlights("20k")).slice(0, 1_000);
    const deleted: Written = { key: "SAN", value: null, timestamp: 5, row: "deleted" };
    const flights = rows.map(({ key, timestamp, flight }, row) => ({
      key,
      timestamp,
      value: JSON.stringify(flight),
      row: String(row),
    }));
    await write(input, [...flights, deleted]);

    const more = ["--output-partitions", String(PARTITIONS), "--instances", "2", "--trace-source"];
    await using program = new Program(MAIN, [...startArguments(input, output, applicationId), ...more]);
    await program.prints("instance 1: REBALANCING → RUNNING");
    await program.prints("instance 2: REBALANCING → RUNNING");
    await processed(input, applicationId);
    program.signal("SIGTERM");
    const { exitCode, stdout, stderr } = await program.ended;
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: expect.not.stringContaining("EOS_") });
    expect(stdout).toContain("instance 1: PENDING_SHUTDOWN → NOT_RUNNING");
    expect(stdout).toContain("instance 2: PENDING_SHUTDOWN → NOT_RUNNING");

    const sources = new Set<string>();
    const seen = new Map<string, CommittedRecord>();
    for await (const record of readCommitted({ bootstrapServers, topic: output })) {
      seen.set(String(record.headers["row"]), record);
      sources.add(String(record.headers["eos-source"]));
    }
    expect(seen.size).toBe(1_001);
    expect(sources.size).toBe(1_001);
    for (const source of sources) expect(source).toMatch(new RegExp(`^${input}-[0-3]@\\d+$`));
    for (const [index, { key, timestamp, flight }] of rows.entries()) {
      const record = seen.get(String(index));
      expect(String(record?.key)).toBe(key);
      expect(record?.timestamp).toBe(timestamp);
      expect(String(record?.value)).toBe(JSON.stringify(enrichFlight(flight, airports)));
    }
    expect(seen.get("deleted")).toMatchObject({ value: null, timestamp: 5 });
  });

  it("ends with exit code 0 on Ctrl-C, also when it has only begun to connect", async () => {
    const [input, output] = [await createTopic("flights"), await createTopic("enriched")];
    await using program = new Program(MAIN, startArguments(input, output, uniqueName("app")));
    await program.prints("CREATED → REBALANCING");
    program.signal("SIGINT");
    expect(await program.ended).toMatchObject({ exitCode: 0, stderr: "" });
  });

  it("stops at a value that is no flight, with one line that names its offset, and loses nothing before it", async () => {
    const [input, output, applicationId] = [
      await createTopic("flights"),
      await createTopic("enriched"),
      uniqueName("app"),
    ];
    const flight = (row: string, value: string): Written => ({ key: "SAN", value, timestamp: 1, row });
    await write(input, [flight("0", '{"delay":1}'), flight("1", "SAN,SJC"), flight("2", '{"delay":2}')]);
    const run = async (): Promise<string> => {
      await using program = new Program(MAIN, startArguments(input, output, applicationId));
      const { exitCode, stderr } = await program.ended;
      expect(exitCode).toBe(1);
      return stderr;
    };
    const stderr = await run();
    expect(stderr).toMatch(new RegExp(`^flight-delays: EOS_PROCESSING: .*${input}-\\d@1 .*not valid JSON.*\n$`));
    expect(await run()).toBe(stderr);
    const rows: string[] = [];
    for await (const record of readCommitted({ bootstrapServers, topic: output }))
      rows.push(String(record.headers["row"]));
    // Row 0 is either committed with its output, or neither is.
    const partition = Number(/-(\d)@1 /.exec(stderr)?.[1]);
    const [committed] = await client.admin.committedOffsets(applicationId, [{ topic: input, partition }]);
    expect(rows).toEqual(committed?.offset === 1 ? ["0"] : []);
  });

  it.each([
    [
      "an input topic that does not exist",
      "none",
      "enriched",
      [],
      /^flight-delays: EOS_UNKNOWN_TOPIC: .*none.* — .+\n$/,
    ],
    [
      "an output topic that does not exist",
      "flights",
      "none",
      [],
      /^flight-delays: EOS_UNKNOWN_TOPIC: .*none.* — .+\n$/,
    ],
    [
      "a transaction timeout above the broker's limit",
      "flights",
      "enriched",
      ["--transaction-timeout-ms", "900001"],
      /^flight-delays: EOS_TRANSACTION_TIMEOUT_TOO_LARGE: .*900001.*900000.* — .+\n$/,
    ],
  ])(
    "says in one line that there is %s, and ends with exit code 1",
    async (_what, inputName, outputName, more, line) => {
      const topic = (name: string): Promise<string> | string =>
        name === "none" ? uniqueName(name) : createTopic(name);
      const args = startArguments(await topic(inputName), await topic(outputName), uniqueName("app"));
      await using program = new Program(MAIN, [...args, ...more]);
      const { exitCode, stderr } = await program.ended;
      expect(exitCode).toBe(1);
      expect(stderr).toMatch(line);
    },
  );

  it("says where nobody answers, and ends with exit code 1", async () => {
    const args = ["--brokers", "127.0.0.1:1", "--application-id", "a", "--input", "i", "--output", "o"];
    await using program = new Program(MAIN, args);
    const { exitCode, stderr } = await program.ended;
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/^flight-delays: EOS_CONNECTION: .*127\.0\.0\.1:1.* — .+$/m);
  });

  it.each([
    [["--comit-interval-ms", "5"], 'did you mean "commit-interval-ms"?'],
    [["--input", "no/topic"], "must be a topic name"],
  ])("refuses the options %j with exit code 2", async (args, message) => {
    await using program = new Program(MAIN, [...startArguments("i", "o", "a"), ...args]);
    const { exitCode, stdout, stderr } = await program.ended;
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: "" });
    expect(stderr).toContain(message);
    expect(stderr).toContain("Try --help.");
  });

  it("prints its options with --help", async () => {
    await using program = new Program(MAIN, ["--help"]);
    expect(await program.ended).toMatchObject({
      exitCode: 0,
      stderr: "",
      stdout: expect.stringContaining("--trace-source"),
    });
  });
});
