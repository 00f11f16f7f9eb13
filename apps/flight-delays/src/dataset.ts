import { readFile } from "node:fs/promises";
import { dataFile } from "./data-file.ts";
import type { Flight } from "./flight.ts";

/** `20k`: 20,000 flights with date, origin and destination. `200k`: 231,083 flights, the same months, without these. */
export type FlightDataset = "20k" | "200k";

/** A row of a data set as a record of the `flights` topic. */
export interface FlightRow {
  /** The origin; `null` where the data set has none. */
  readonly key: string | null;
  /**
   * Event time, in milliseconds since the epoch: the scheduled departure. It is local time at the origin and the data
   * has no time zones, so it is taken as if it were UTC.
   */
  readonly timestamp: number;
  readonly flight: Flight;
}

const FILES: { readonly [dataset in FlightDataset]: string } = {
  "20k": "flights-20k.json",
  "200k": "flights-200k.json",
};

const FIRST_DAY = Date.UTC(2001, 0, 1);
const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;

/** Reads real flights of the first quarter of 2001 from `vega-datasets`, in the order of the file. */
export async function readFlights(dataset: FlightDataset): Promise<FlightRow[]> {
  const flights = JSON.parse(await readFile(dataFile(FILES[dataset]), "utf8")) as Flight[];
  return dataset === "20k" ? flights.map(datedRow) : undatedRows(flights);
}

function datedRow(flight: Flight): FlightRow {
  return { key: flight.origin ?? null, timestamp: parseDate(flight.date as string), flight };
}

/**
 * The large file has the time of day alone, but its rows are in order: where the time goes back, the next day begins.
 * That gives the 90 days of January to March 2001, and 92 % of the dated flights of the small file are found in it at
 * exactly the minute so derived, with the same delay and distance (a test counts them).
 */
function undatedRows(flights: readonly Flight[]): FlightRow[] {
  let day = 0;
  let previous = 0;
  return flights.map((flight) => {
    const time = flight.time as number;
    if (time < previous) day += 1;
    previous = time;
    return { key: null, timestamp: FIRST_DAY + day * DAY_MS + Math.round(time * 60) * MINUTE_MS, flight };
  });
}

/** @param date - `2001/01/13 14:56` */
function parseDate(date: string): number {
  return Date.parse(`${date.replaceAll("/", "-").replace(" ", "T")}Z`);
}
