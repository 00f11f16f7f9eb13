import { expect, it } from "vitest";
import { defined } from "./defined.ts";

it("defined leaves out what is undefined, and nothing else", () => {
  expect({ ...defined("a", 0), ...defined("b", undefined), ...defined("c", null) }).toStrictEqual({ a: 0, c: null });
});
