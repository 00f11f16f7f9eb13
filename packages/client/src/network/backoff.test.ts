import fc from "fast-check";
import { expect, test } from "vitest";
import { backoffMs } from "./backoff.ts";

test("the backoff doubles up to its maximum, give or take a fifth", () => {
  fc.assert(
    fc.property(fc.nat(2_000), (attempt) => {
      const exact = Math.min(1_000, 50 * 2 ** attempt);
      const ms = backoffMs(attempt, 50, 1_000);
      expect(ms).toBeGreaterThanOrEqual(exact * 0.8);
      expect(ms).toBeLessThanOrEqual(exact * 1.2);
    }),
  );
});
