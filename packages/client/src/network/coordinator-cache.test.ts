import { expect, test } from "vitest";
import { CoordinatorCache } from "./coordinator-cache.ts";

test("a coordinator is looked up once, until it or its node is forgotten", async () => {
  const cache = new CoordinatorCache();
  let lookUps = 0;
  const lookUp = (nodeId: number) => () => {
    lookUps++;
    return Promise.resolve(nodeId);
  };
  const get = (nodeId: number) => cache.get("group", "g", lookUp(nodeId));
  expect(await Promise.all([get(1), get(1)])).toEqual([1, 1]);
  expect(await get(9)).toBe(1);
  expect(lookUps).toBe(1);
  expect(await cache.get("transaction", "g", lookUp(5))).toBe(5);

  cache.forget("group", "g");
  expect(await get(2)).toBe(2);
  cache.forgetNode(2);
  expect(await get(3)).toBe(3);
  expect(await cache.get("transaction", "g", lookUp(6))).toBe(5);
});
