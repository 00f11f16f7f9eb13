import { jsonSerde } from "@eos/core";
import { describe, expect, it } from "vitest";
import { parseAirports, readAirports } from "./airports.ts";
import { readFlights } from "./dataset.ts";
import { type Flight, flightSchema } from "./flight.ts";
import { delayClass, enrichFlight } from "./topology.ts";

const airports = await readAirports();

describe("enrichFlight", () => {
  it("joins a flight with both its airports and keeps what the flight had", () => {
    const flight = { date: "2001/01/13 14:56", delay: 32, distance: 418, origin: "SAN", destination: "SJC" };
    expect(enrichFlight(flight, airports)).toEqual({
      ...flight,
      delayClass: "delayed",
      originAirport: {
        name: "San Diego International-Lindbergh",
        city: "San Diego",
        state: "CA",
        latitude: 32.73355611,
        longitude: -117.1896567,
      },
      destinationAirport: expect.objectContaining({ city: "San Jose", state: "CA" }),
    });
  });

  it("leaves an unknown or missing airport null", () => {
    const enriched = enrichFlight({ delay: 0, origin: "???", destination: null }, airports);
    expect(enriched).toEqual({
      delay: 0,
      origin: "???",
      destination: null,
      delayClass: "on-time",
      originAirport: null,
      destinationAirport: null,
    });
    expect(enrichFlight({}, airports)).toEqual({
      delayClass: "unknown",
      originAirport: null,
      destinationAirport: null,
    });
  });

  it("does not take a property of Object for an airport", () => {
    expect(enrichFlight({ origin: "constructor", destination: "__proto__" }, airports)).toMatchObject({
      originAirport: null,
      destinationAirport: null,
    });
  });

  it("finds both airports of all 20,000 real flights", async () => {
    const rows = await readFlights("20k");
    const unknown = rows.filter(({ flight }) => {
      const { originAirport, destinationAirport } = enrichFlight(flight, airports);
      return originAirport === null || destinationAirport === null;
    });
    expect(rows).toHaveLength(20_000);
    expect(unknown).toEqual([]);
  });
});

describe("delayClass", () => {
  it.each([
    [-58, "early"],
    [-1, "early"],
    [0, "on-time"],
    [14, "on-time"],
    [15, "delayed"],
    [59, "delayed"],
    [60, "very-delayed"],
    [179, "very-delayed"],
    [180, "severely-delayed"],
    [509, "severely-delayed"],
    [null, "unknown"],
    [undefined, "unknown"],
  ] as const)("of %s minutes is %s", (minutes, expected) => {
    expect(delayClass(minutes)).toBe(expected);
  });
});

describe("the airport table", () => {
  it("holds every airport of the file once", () => {
    expect(airports.size).toBe(3_376);
    expect([...airports.values()].every(({ latitude, longitude }) => Number.isFinite(latitude + longitude))).toBe(true);
  });

  it("reads quoted fields with commas and quotes in them", () => {
    const table = parseAirports('iata,…\r\n35A,"Union ""County"", Troy",Union,SC,USA,34.5,-81.25\r\n');
    expect(table.get("35A")).toEqual({
      name: 'Union "County", Troy',
      city: "Union",
      state: "SC",
      latitude: 34.5,
      longitude: -81.25,
    });
  });
});

describe("flightSchema", () => {
  const serde = jsonSerde<Flight>(flightSchema);
  const read = (text: string): Flight => serde.deserialize("flights", Buffer.from(text));

  it("takes a flight as it is, with fields it does not know", () => {
    expect(read('{"delay":14,"time":0.5,"origin":null,"carrier":"WN"}')).toEqual({
      delay: 14,
      time: 0.5,
      origin: null,
      carrier: "WN",
    });
  });

  it("refuses what is not a flight and names the fields", () => {
    expect(() => read('{"delay":"14","origin":7}')).toThrow("delay, origin");
    for (const text of ["[]", "17", '"SAN"', "null"]) expect(() => read(text)).toThrow("at its root");
    expect(() => read("SAN,SJC")).toThrow("not valid JSON");
  });
});

describe("the data sets", () => {
  it("key the dated flights by origin and take the scheduled departure as event time", async () => {
    const [first] = await readFlights("20k");
    expect(first).toMatchObject({ key: "SAN", timestamp: Date.UTC(2001, 0, 13, 14, 56) });
  });

  it("place the undated flights in the first quarter of 2001, where the dated ones confirm it", async () => {
    const name = (timestamp: number, { delay, distance }: Flight): string => `${timestamp} ${delay} ${distance}`;
    const undated = await readFlights("200k");
    expect(undated).toHaveLength(231_083);
    expect(undated.at(0)?.timestamp).toBe(Date.UTC(2001, 0, 1, 0, 1));
    expect(undated.at(-1)?.timestamp).toBe(Date.UTC(2001, 2, 31, 22, 57));
    const derived = new Set(undated.map(({ timestamp, flight }) => name(timestamp, flight)));
    const dated = await readFlights("20k");
    const confirmed = dated.filter(({ timestamp, flight }) => derived.has(name(timestamp, flight)));
    expect(confirmed).toHaveLength(18_523);
  });
});
