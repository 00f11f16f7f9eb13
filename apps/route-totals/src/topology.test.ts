import { jsonSerde } from "@eos/core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { flightSchema } from "./flight.ts";
import { addFlight, routeDelayOf, type RouteTotals, rowOf } from "./topology.ts";

function totalsOf(delays: readonly number[]): RouteTotals {
  let totals: RouteTotals | null = null;
  for (const delay of delays) totals = addFlight(totals, delay);
  return totals as RouteTotals;
}

describe("a route's totals", () => {
  it("are count, sum and worst of the delays, and the row has their exact mean", () => {
    const totals = totalsOf([-5, 32, 0]);
    expect(totals).toEqual({ flights: 3, totalDelay: 27, worstDelay: 32 });
    expect(rowOf("SAN-SJC", totals)).toEqual({
      route: "SAN-SJC",
      flights: 3,
      totalDelay: 27,
      meanDelay: 9,
      worstDelay: 32,
    });
  });

  it("have the least early flight as their worst when all were early", () => {
    expect(totalsOf([-5, -3, -8])).toEqual({ flights: 3, totalDelay: -16, worstDelay: -3 });
  });

  it("are the same as arithmetic over all delays at once, whatever these are", () => {
    const delays = fc.array(fc.integer({ min: -1_000_000, max: 1_000_000 }), { minLength: 1, maxLength: 200 });
    fc.assert(
      fc.property(delays, (all) => {
        const totalDelay = all.reduce((sum, delay) => sum + delay, 0);
        expect(totalsOf(all)).toEqual({ flights: all.length, totalDelay, worstDelay: Math.max(...all) });
        expect(rowOf("A-B", totalsOf(all)).meanDelay).toBe(totalDelay / all.length);
      }),
    );
  });

  it("refuse a sum that could not be told exactly", () => {
    expect(() => addFlight(totalsOf([Number.MAX_SAFE_INTEGER]), 1)).toThrow(RangeError);
  });
});

describe("routeDelayOf", () => {
  it("names the route and the delay of a flight that says both, also of one that was in time", () => {
    expect(routeDelayOf({ origin: "JFK", destination: "LAX", delay: 0 })).toEqual({ route: "JFK-LAX", delay: 0 });
  });

  it.each([
    {},
    { origin: "JFK", destination: "LAX" },
    { origin: "JFK", destination: "LAX", delay: null },
    { origin: "JFK", delay: 1 },
    { origin: null, destination: "LAX", delay: 1 },
    { origin: "", destination: "LAX", delay: 1 },
  ])("does not count %j", (flight) => {
    expect(routeDelayOf(flight)).toBeNull();
  });
});

describe("flightSchema", () => {
  const serde = jsonSerde(flightSchema);
  const read = (text: string) => serde.deserialize("t", Buffer.from(text));

  it("takes a flight with fields that are missing or unknown, as it is", () => {
    expect(read('{"delay":-3,"destination":null,"delayClass":"early"}')).toEqual({
      delay: -3,
      destination: null,
      delayClass: "early",
    });
  });

  it.each([
    ['{"delay":1.5}', /at delay/],
    ['{"delay":"1"}', /at delay/],
    ['{"origin":1,"destination":true}', /at origin, destination/],
    ["[]", /at its root/],
    ["7", /at its root/],
  ])("refuses %s", (text, message) => {
    expect(() => read(text)).toThrow(message);
  });
});
