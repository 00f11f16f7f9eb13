import { expect, test } from "vitest";
import { MetadataRefresher } from "./metadata-refresher.ts";

function createRefresher() {
  const requests: { topics: readonly string[]; answer: (error?: Error) => void }[] = [];
  const refresher = new MetadataRefresher(
    (topics) =>
      new Promise((resolve, reject) => {
        requests.push({ topics, answer: (error) => (error === undefined ? resolve() : reject(error)) });
      }),
  );
  return { refresher, requests };
}

/** Lets everything that is already settled run its course. */
const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

test("a caller whose topics are being asked for already shares that request", async () => {
  const { refresher, requests } = createRefresher();
  const both = [refresher.refresh(["a", "b"]), refresher.refresh(["b"]), refresher.refresh([])];
  expect(requests.map(({ topics }) => topics)).toEqual([["a", "b"]]);
  requests[0]?.answer();
  await Promise.all(both);
  expect(requests).toHaveLength(1);
});

test("other topics wait for the running request and go together into the next", async () => {
  const { refresher, requests } = createRefresher();
  const first = refresher.refresh(["a"]);
  const rest = [refresher.refresh(["b"]), refresher.refresh(["c", "a"])];
  await turn();
  expect(requests).toHaveLength(1);
  requests[0]?.answer();
  await first;
  await turn();
  expect(requests.map(({ topics }) => topics)).toEqual([["a"], ["b", "c", "a"]]);
  requests[1]?.answer();
  await Promise.all(rest);
});

test("a failed request fails its own callers only", async () => {
  const { refresher, requests } = createRefresher();
  const first = refresher.refresh(["a"]);
  const second = refresher.refresh(["b"]);
  requests[0]?.answer(new Error("down"));
  await expect(first).rejects.toThrow("down");
  await turn();
  requests[1]?.answer();
  await expect(second).resolves.toBeUndefined();
});
