import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { createProducer } from "@eos/client";
import { jsonSerde, stringSerde } from "@eos/core";

/** A row of the data set. */
export interface RawFlight {
  readonly date: string;
  readonly delay: number;
  readonly distance: number;
  readonly origin: string;
  readonly destination: string;
}

const require = createRequire(import.meta.url);
const DATA = dirname(require.resolve("vega-datasets/package.json"));

/** 20,000 real flights of 2001, in the order of the file. */
export async function readRawFlights(): Promise<RawFlight[]> {
  return JSON.parse(await readFile(join(DATA, "data", "flights-20k.json"), "utf8")) as RawFlight[];
}

/** Scheduled departure, as if local time were UTC: the event time that flight-delays gives. */
export function eventTime({ date }: RawFlight): number {
  return Date.parse(`${date.replaceAll("/", "-").replace(" ", "T")}Z`);
}

/** As the demo of flight-delays loads them: the key is the origin. */
export async function produceRawFlights(
  brokers: readonly string[],
  topic: string,
  flights: readonly RawFlight[],
): Promise<void> {
  await using producer = createProducer({ brokers });
  await producer.start();
  await producer.send({
    topic,
    key: stringSerde,
    value: jsonSerde<RawFlight>(),
    records: flights.map((flight) => ({ key: flight.origin, value: flight, timestamp: eventTime(flight) })),
  });
}
