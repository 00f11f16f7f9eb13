import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { crc32c, crc32cInJs } from "./crc32c.ts";

const ascending = Buffer.from(Array.from({ length: 32 }, (_, i) => i));

describe("crc32c", () => {
  // RFC 3720, B.4, and the check value of the Castagnoli CRC.
  it.each([
    ["the digits 1 to 9", Buffer.from("123456789"), 0xe3069283],
    ["32 zeros", Buffer.alloc(32), 0x8a9136aa],
    ["32 ones", Buffer.alloc(32, 0xff), 0x62a8ab43],
    ["32 ascending bytes", ascending, 0x46dd794e],
    ["32 descending bytes", Buffer.from(ascending.toReversed()), 0x113fdb5c],
    ["nothing", Buffer.alloc(0), 0],
  ])("gives the published checksum of %s", (_what, bytes, expected) => {
    expect(crc32c(bytes)).toBe(expected);
    expect(crc32cInJs(bytes)).toBe(expected);
  });

  it("gives the same natively and in JavaScript, for every range", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(300), fc.nat(300), (array, a, b) => {
        const bytes = Buffer.from(array);
        const start = Math.min(a, b, bytes.length);
        const end = Math.min(Math.max(a, b), bytes.length);
        expect(crc32c(bytes, start, end)).toBe(crc32cInJs(bytes, start, end));
      }),
    );
  });
});
