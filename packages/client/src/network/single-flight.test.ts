import { expect, test } from "vitest";
import { SingleFlight } from "./single-flight.ts";

test("callers with the same key share one run while it lasts", async () => {
  const flights = new SingleFlight<number>();
  let resolve: (value: number) => void = () => {};
  const promise = new Promise<number>((settle) => {
    resolve = settle;
  });
  let runs = 0;
  const work = () => {
    runs++;
    return promise;
  };
  const shared = [flights.run("a", work), flights.run("a", work)];
  const other = flights.run("b", () => Promise.resolve(2));
  resolve(1);
  expect(await Promise.all([...shared, other])).toEqual([1, 1, 2]);
  expect(runs).toBe(1);
  expect(await flights.run("a", () => Promise.resolve(3))).toBe(3);
});

test("a failed run fails all who shared it, and the next call runs again", async () => {
  const flights = new SingleFlight<number>();
  const failing = () => Promise.reject<number>(new Error("no"));
  const shared = [flights.run("a", failing), flights.run("a", failing)];
  for (const outcome of await Promise.allSettled(shared)) expect(outcome.status).toBe("rejected");
  expect(await flights.run("a", () => Promise.resolve(1))).toBe(1);
});
