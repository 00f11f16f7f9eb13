import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { type Client, createClient, createProducer } from "@eos/client";
import { stringSerde } from "@eos/core";
import { Program } from "@tooling/app-cli/testing";
import { type CommittedRecord, readCommitted } from "@tooling/kafka";
import { testBroker, uniqueName } from "@tooling/kafka/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Alert } from "../src/topology.ts";
import { eventTime, produceRawFlights, type RawFlight, readRawFlights } from "./raw-flights.ts";

const MAIN = new URL("../src/main.ts", import.meta.url);
const FLIGHT_DELAYS = new URL("../../flight-delays/src/main.ts", import.meta.url);
const PARTITIONS = 4;
const { bootstrapServers, brokers } = testBroker();

let client: Client;
beforeAll(async () => {
  client = createClient({ brokers });
  await client.connect();
});
afterAll(() => client.close());

/** The flights are from 2001: with the usual retention the broker would delete them. */
async function createTopic(name: string, config: { readonly [name: string]: string } = {}): Promise<string> {
  const topic = uniqueName(name);
  await client.admin.createTopics([{ topic, partitions: PARTITIONS, config: { "retention.ms": "-1", ...config } }]);
  return topic;
}

async function write(topic: string, values: readonly (string | null)[]): Promise<void> {
  await using producer = createProducer({ brokers });
  await producer.start();
  const records = values.map((value) => ({ key: "SAN", value, timestamp: 1 }));
  await producer.send({ topic, key: stringSerde, value: stringSerde, records });
}

/** Resolves once the group has committed everything in the topic. */
async function processed(topic: string, groupId: string): Promise<void> {
  const partitions = Array.from({ length: PARTITIONS }, (_, partition) => ({ topic, partition }));
  await expect
    .poll(
      async () => {
        const ends = await client.admin.listOffsets(partitions, "latest", "read_uncommitted");
        const committed = await client.admin.committedOffsets(groupId, partitions);
        return ends.every(({ partition, offset }) =>
          offset === 0 ? true : committed.some((of) => of.partition === partition && of.offset === offset),
        );
      },
      { timeout: 40_000, interval: 100 },
    )
    .toBe(true);
}

function startArguments(input: string, output: string, groupId: string): string[] {
  return ["--brokers", brokers.join(","), "--group-id", groupId, "--input", input, "--output", output];
}

interface SentAlert extends Alert {
  readonly key: string | null;
  readonly source: string;
  readonly timestamp: number;
}

/** In the order of their partitions; of those with the same source the first. */
async function readAlerts(topic: string): Promise<SentAlert[]> {
  const alerts = new Map<string, SentAlert>();
  for await (const { key, value, headers, timestamp } of readCommitted({ bootstrapServers, topic })) {
    const source = String(headers["eos-source"]);
    const alert = JSON.parse(String(value)) as Alert;
    if (!alerts.has(source))
      alerts.set(source, { ...alert, key: key === null ? null : String(key), source, timestamp });
  }
  return [...alerts.values()];
}

const isVeryLate = ({ delay }: RawFlight): boolean => delay >= 60;

/** What an alert must say of the flight, but for the route. */
function expectedAlert(flight: RawFlight): object {
  const { date, origin, destination, delay } = flight;
  return {
    key: origin,
    flight: `${origin}-${destination} ${date}`,
    delay,
    delayClass: delay < 180 ? "very-delayed" : "severely-delayed",
    detectedAt: new Date(eventTime(flight)).toISOString(),
    timestamp: eventTime(flight),
  };
}

function expectAlerts(alerts: readonly SentAlert[], flights: readonly RawFlight[], input: string): void {
  for (const origin of new Set(flights.map((flight) => flight.origin))) {
    const ofKey = alerts.filter(({ key }) => key === origin);
    expect(ofKey).toMatchObject(flights.filter((flight) => flight.origin === origin).map(expectedAlert));
  }
  expect(alerts).toHaveLength(flights.length);
  for (const { source, route } of alerts) {
    expect(source).toMatch(new RegExp(`^${input}-[0-3]@\\d+$`));
    expect(route).toMatch(/^.+, \w\w → .+, \w\w$/);
  }
}

describe("delay-alerts", () => {
  it("alerts of every very late flight that flight-delays hands on, in the order of each key, while it is scaled by signals", async () => {
    const [flights, input, output] = [
      await createTopic("flights"),
      await createTopic("enriched"),
      uniqueName("alerts"),
    ];
    const [applicationId, groupId] = [uniqueName("app"), uniqueName("group")];
    const enrichment = ["--application-id", applicationId, "--input", flights, "--output", input];
    await using flightDelays = new Program(FLIGHT_DELAYS, ["--brokers", brokers.join(","), ...enrichment]);
    const topic = ["--output-partitions", "2", "--replication-factor", "1"];
    const more = [...topic, "--members", "1", "--concurrency", "32", "--notify-ms", "40", "--trace-source"];
    await using program = new Program(MAIN, [...startArguments(input, output, groupId), ...more]);
    await flightDelays.prints("REBALANCING → RUNNING");
    await program.prints("REBALANCING → RUNNING");

    const rows = await readRawFlights();
    program.signal("SIGUSR1");
    await produceRawFlights(brokers, flights, rows.slice(0, 10_000));
    await program.prints("scaled to 2");
    program.signal("SIGUSR1");
    await produceRawFlights(brokers, flights, rows.slice(10_000));
    await program.prints("scaled to 3");
    program.signal("SIGUSR2");
    await program.prints("scaling from 3 to 2");
    await processed(flights, applicationId);
    await processed(input, groupId);

    program.signal("SIGINT");
    const { exitCode, stdout, stderr } = await program.ended;
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
    expect(stdout).toContain("RUNNING → PENDING_SHUTDOWN");
    expect(stdout).toMatch(/NOT_RUNNING: .* 20,000 flights, .* 0 skipped, 0 failed attempts; lag .*\n$/);

    const alerts = await readAlerts(output);
    expectAlerts(alerts, rows.filter(isVeryLate), input);
    expect(alerts.length).toBe(893);
    const [first] = alerts.filter(({ flight }) => flight.startsWith("SAN-SJC "));
    expect(first?.route).toBe("San Diego, CA → San Jose, CA");
  });

  it("loses no alert when it is killed: what was not committed comes again, with the same eos-source", async () => {
    const [input, output, groupId] = [await createTopic("enriched"), await createTopic("alerts"), uniqueName("group")];
    const values = Array.from({ length: 600 }, (_, row) => JSON.stringify({ delay: row, delayClass: "delayed" }));
    const args = [...startArguments(input, output, groupId), "--threshold-minutes", "0", "--notify-ms", "5"];
    const start = (): Program => new Program(MAIN, [...args, "--trace-source", "--session-timeout-ms", "6000"]);
    {
      await using killed = start();
      await killed.prints("REBALANCING → RUNNING");
      await write(input, values);
      const partitions = Array.from({ length: PARTITIONS }, (_, partition) => ({ topic: output, partition }));
      await expect
        .poll(async () => {
          const ends = await client.admin.listOffsets(partitions, "latest");
          return ends.reduce((sum, { offset }) => sum + offset, 0);
        })
        .toBeGreaterThan(50);
      killed.signal("SIGKILL");
      await killed.ended;
    }
    expect((await readAlerts(output)).length).toBeLessThan(values.length);
    await using program = start();
    await processed(input, groupId);
    program.signal("SIGTERM");
    expect((await program.ended).exitCode).toBe(0);
    const alerts = await readAlerts(output);
    expect(alerts.map(({ delay }) => delay)).toEqual(values.map((_, row) => row));
  });

  it("skips what is no flight with a line that names its offset, and goes on", async () => {
    const [input, output, groupId] = [await createTopic("enriched"), await createTopic("alerts"), uniqueName("group")];
    const late = (delay: number): string => JSON.stringify({ delay, delayClass: "very-delayed" });
    await write(input, [late(90), "SAN,SJC", '{"delay":"90","delayClass":"very-delayed"}', null, late(91)]);
    await using program = new Program(MAIN, startArguments(input, output, groupId));
    await processed(input, groupId);
    program.signal("SIGTERM");
    const { exitCode, stdout, stderr } = await program.ended;
    expect(exitCode).toBe(0);
    expect(stdout).toContain("5 flights, 2 alerts, 2 skipped, 2 failed attempts");
    expect(stderr.replaceAll(/^\S+ /gm, "").split("\n")).toEqual([
      expect.stringMatching(new RegExp(`^a record was skipped: ${input}-\\d@1: EOS_SERDE: .*not valid JSON`)),
      expect.stringMatching(new RegExp(`^a record was skipped: ${input}-\\d@2: EOS_SERDE: .* at delay`)),
      "",
    ]);
    const sent: CommittedRecord[] = [];
    for await (const record of readCommitted({ bootstrapServers, topic: output })) sent.push(record);
    expect(sent.map(({ value }) => (JSON.parse(String(value)) as Alert).delay)).toEqual([90, 91]);
    for (const { headers, key } of sent)
      expect({ headers: { ...headers }, key: String(key) }).toEqual({ headers: {}, key: "SAN" });
  });

  it("says that the brokers do not take its alerts, tries again, and commits none of these flights", async () => {
    const input = await createTopic("enriched");
    const output = await createTopic("alerts", { "max.message.bytes": "100" });
    const groupId = uniqueName("group");
    const onTime = JSON.stringify({ delay: 3, delayClass: "on-time" });
    await write(input, [onTime, JSON.stringify({ delay: 70, delayClass: "very-delayed" }), onTime]);
    await using program = new Program(MAIN, startArguments(input, output, groupId));
    await program.prints("an alert could not be sent, trying again", "stderr");
    program.signal("SIGTERM");
    const { exitCode, stderr } = await program.ended;
    expect(exitCode).toBe(0);
    expect(stderr).toMatch(new RegExp(`trying again: ${input}-\\d@1: EOS_\\w+: `));
    const partitions = Array.from({ length: PARTITIONS }, (_, partition) => ({ topic: input, partition }));
    const committed = await client.admin.committedOffsets(groupId, partitions);
    expect(committed.reduce((max, { offset }) => Math.max(max, offset), 0)).toBe(1);
  });

  it("ends with exit code 0 on Ctrl-C when it has only begun to connect, within ten seconds also where nobody answers", async () => {
    // Accepts connections, and says nothing.
    const silent = createServer();
    await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
    const { port } = silent.address() as AddressInfo;
    const args = ["--brokers", `127.0.0.1:${port}`, "--group-id", "g", "--input", "i", "--output", "o"];
    await using program = new Program(MAIN, args);
    await program.prints("SIGUSR1 adds a member");
    const sinceMs = performance.now();
    program.signal("SIGINT");
    expect(await program.ended).toMatchObject({ exitCode: 0, stderr: "" });
    expect(performance.now() - sinceMs).toBeLessThan(10_000);
    silent.close();
  });

  it.each([
    ["an input topic that does not exist", "none", "alerts"],
    ["an output topic that does not exist", "enriched", "none"],
  ])("says in one line that there is %s, and ends with exit code 1", async (_what, inputName, outputName) => {
    const topic = (name: string): Promise<string> | string => (name === "none" ? uniqueName(name) : createTopic(name));
    const args = startArguments(await topic(inputName), await topic(outputName), uniqueName("group"));
    await using program = new Program(MAIN, args);
    const { exitCode, stderr } = await program.ended;
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/^delay-alerts: EOS_UNKNOWN_TOPIC: .*none.* — .+\n$/);
  });

  it("says where nobody listens, and ends with exit code 1", async () => {
    const args = ["--brokers", "127.0.0.1:1", "--group-id", "g", "--input", "i", "--output", "o"];
    await using program = new Program(MAIN, args);
    const { exitCode, stderr } = await program.ended;
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/^delay-alerts: EOS_CONNECTION: .*127\.0\.0\.1:1.* — .+$/m);
  });

  it.each([
    [["--comit-interval-ms", "5"], 'did you mean "commit-interval-ms"?'],
    [["--commit-interval-ms", "0"], "must be a positive integer"],
  ])("refuses the options %j with exit code 2", async (more, message) => {
    await using program = new Program(MAIN, [...startArguments("i", "o", "g"), ...more]);
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
