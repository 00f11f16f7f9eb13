import { jsonSerde } from "@eos/core";
import { describe, expect, it } from "vitest";
import { type EnrichedFlight, enrichedFlightSchema } from "./enriched-flight.ts";
import { alertFor, DEFAULT_THRESHOLD_MINUTES } from "./topology.ts";

const SAN = {
  name: "San Diego International-Lindbergh",
  city: "San Diego",
  state: "CA",
  latitude: 32.7,
  longitude: -117,
};
const SJC = { name: "San Jose International", city: "San Jose", state: "CA", latitude: 37.3, longitude: -121.9 };
const LATE = {
  date: "2001/01/13 14:56",
  delay: 187,
  distance: 418,
  origin: "SAN",
  destination: "SJC",
  delayClass: "severely-delayed",
  originAirport: SAN,
  destinationAirport: SJC,
};
const TIMESTAMP = Date.UTC(2001, 0, 13, 14, 56);

describe("alertFor", () => {
  it("tells flight, route, delay and class of a flight that arrived very late, and when", () => {
    expect(alertFor(LATE, TIMESTAMP, 60)).toEqual({
      flight: "SAN-SJC 2001/01/13 14:56",
      route: "San Diego, CA → San Jose, CA",
      delay: 187,
      delayClass: "severely-delayed",
      detectedAt: "2001-01-13T14:56:00.000Z",
    });
  });

  it.each([
    [59, false],
    [60, true],
    [61, true],
    [0, false],
    [-5, false],
    [null, false],
    [undefined, false],
  ])("of a flight %s minutes late, at the default threshold, is there: %s", (delay, isThere) => {
    const flight: EnrichedFlight = { delayClass: "unknown", ...(delay === undefined ? {} : { delay }) };
    expect(alertFor(flight, TIMESTAMP, DEFAULT_THRESHOLD_MINUTES) !== null).toBe(isThere);
  });

  it("is there for early flights, too, with a threshold below zero", () => {
    expect(alertFor({ ...LATE, delay: -12 }, TIMESTAMP, -12)).toMatchObject({ delay: -12 });
    expect(alertFor({ ...LATE, delay: -13 }, TIMESTAMP, -12)).toBeNull();
  });

  it("says what it can of a flight without airports, date and timestamp", () => {
    expect(alertFor({ delay: 90, delayClass: "very-delayed" }, -1, 60)).toEqual({
      flight: "?-? ?",
      route: "? → ?",
      delay: 90,
      delayClass: "very-delayed",
      detectedAt: null,
    });
    const unknown = { ...LATE, originAirport: null, destinationAirport: null };
    expect(alertFor(unknown, TIMESTAMP, 60)).toMatchObject({ route: "SAN → SJC" });
  });

  it("is the same, byte for byte, when the flight is handled again", () => {
    const read = (): EnrichedFlight => JSON.parse(JSON.stringify(LATE)) as EnrichedFlight;
    const alert = (): string => JSON.stringify(alertFor(read(), TIMESTAMP, 60));
    expect(alert()).toBe(alert());
  });
});

describe("enrichedFlightSchema", () => {
  const serde = jsonSerde<EnrichedFlight>(enrichedFlightSchema);
  const read = (text: string): EnrichedFlight => serde.deserialize("flights-enriched", Buffer.from(text));

  it("takes an enriched flight as it is, with fields that are not read", () => {
    expect(read(JSON.stringify(LATE))).toEqual(LATE);
    expect(read('{"delayClass":"unknown","delay":null,"originAirport":null}')).toEqual({
      delayClass: "unknown",
      delay: null,
      originAirport: null,
    });
  });

  it("refuses what is no enriched flight, and names the fields", () => {
    expect(() => read('{"delay":"14","delayClass":"on-time","originAirport":{"city":"Troy"}}')).toThrow(
      "delay, originAirport",
    );
    expect(() => read('{"delay":14}')).toThrow("delayClass");
    for (const text of ["[]", "17", '"SAN"', "null"]) expect(() => read(text)).toThrow("at its root");
    expect(() => read("SAN,SJC")).toThrow("not valid JSON");
  });
});
