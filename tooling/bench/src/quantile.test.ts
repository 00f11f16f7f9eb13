import { describe, expect, it } from "vitest";
import { quantile } from "./quantile.ts";

describe("quantile", () => {
  const values = Array.from({ length: 20 }, (_, i) => 20 - i);

  it("is the smallest value that the share of values does not exceed", () => {
    expect(quantile(values, 0.5)).toBe(10);
    expect(quantile(values, 0.95)).toBe(19);
    expect(quantile(values, 0.96)).toBe(20);
  });

  it("is the least and the greatest value at the ends", () => {
    expect(quantile(values, 0)).toBe(1);
    expect(quantile(values, 1)).toBe(20);
  });

  it("is not a number without values", () => {
    expect(quantile([], 0.5)).toBeNaN();
  });
});
