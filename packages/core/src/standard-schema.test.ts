import type { StandardSchemaV1 as Published } from "@standard-schema/spec";
import { describe, expectTypeOf, it } from "vitest";
import type { StandardSchemaV1 } from "./standard-schema.ts";

interface Order {
  readonly id: number;
}

describe("StandardSchemaV1", () => {
  it("takes every schema that the published specification takes", () => {
    expectTypeOf<Published<string, Order>>().toExtend<StandardSchemaV1<string, Order>>();
    expectTypeOf<Published<string, Order>>().toExtend<StandardSchemaV1<unknown, Order>>();
    expectTypeOf<StandardSchemaV1<string, Order>>().toExtend<Published<string, Order>>();
  });
});
