import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { IdOrder, lowerBound, upperBound } from "./id-order.ts";

const ids = fc.uniqueArray(fc.string({ maxLength: 3, unit: "binary" }), { maxLength: 120 });

describe("IdOrder", () => {
  it("is sorted whenever it is asked, whether few or many were added since", () => {
    fc.assert(
      fc.property(ids, fc.array(fc.nat(60)), (all, sizes) => {
        const order = new IdOrder();
        let added = 0;
        for (const size of [...sizes, all.length]) {
          for (const id of all.slice(added, added + size)) order.add(id);
          added = Math.min(added + size, all.length);
          expect(order.sorted()).toEqual(all.slice(0, added).sort((a, b) => (a < b ? -1 : 1)));
        }
      }),
    );
  });
});

describe("lowerBound and upperBound", () => {
  it("are where an id begins and ends", () => {
    fc.assert(
      fc.property(ids, fc.string({ maxLength: 3, unit: "binary" }), (all, id) => {
        const sorted = all.sort((a, b) => (a < b ? -1 : 1));
        expect(lowerBound(sorted, id)).toBe(sorted.filter((other) => other < id).length);
        expect(upperBound(sorted, id)).toBe(sorted.filter((other) => other <= id).length);
      }),
    );
  });
});
