import { createHeaders } from "@eos/core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { decodeHeaders, HeaderEncoder } from "./header-bytes.ts";

const value = fc.option(fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)));
const name = fc.oneof(
  fc.string({ unit: "binary", maxLength: 12 }),
  fc.constantFrom("__proto__", "constructor", "toString", "hasOwnProperty", ""),
);
// Two values at least: one alone is no array.
const headers = fc
  .array(fc.tuple(name, fc.oneof(value, fc.array(value, { minLength: 2, maxLength: 4 }))), { maxLength: 8 })
  .map((entries) => {
    const map = createHeaders();
    for (const [key, item] of entries) map[key] = item;
    return map;
  });

describe("headers", () => {
  it("come back as they were written, whatever their names, repeated ones in order", () => {
    const encoder = new HeaderEncoder();
    fc.assert(
      fc.property(headers, (given) => {
        encoder.encode(given);
        const decoded = decodeHeaders(encoder.buffer, 0, encoder.length);
        expect(Object.getPrototypeOf(decoded)).toBeNull();
        expect(Object.keys(decoded).toSorted()).toEqual(Object.keys(given).toSorted());
        for (const key of Object.keys(given)) expect(decoded[key]).toEqual(given[key]);
      }),
    );
  });

  it("take those of `extra` instead of their own of the same name", () => {
    const encoder = new HeaderEncoder();
    const own = createHeaders({ a: "1", b: ["2", "3"] });
    const extra = createHeaders({ b: "4", c: null });
    encoder.encode(own, extra);
    expect(decodeHeaders(encoder.buffer, 0, encoder.length)).toEqual(createHeaders({ a: "1", b: "4", c: null }));
  });

  it("are written in Kafka's form", () => {
    const encoder = new HeaderEncoder();
    encoder.encode(createHeaders({ k: "vv", n: null }));
    expect([...encoder.buffer.subarray(0, encoder.length)]).toEqual([4, 2, 107, 4, 118, 118, 2, 110, 1]);
    encoder.encode(createHeaders());
    expect([...encoder.buffer.subarray(0, encoder.length)]).toEqual([0]);
  });

  it("grow beyond the encoder's first buffer", () => {
    const encoder = new HeaderEncoder();
    const large = createHeaders({ a: Buffer.alloc(5_000, 1), b: Buffer.alloc(70_000, 2) });
    encoder.encode(large);
    expect(decodeHeaders(encoder.buffer, 0, encoder.length)).toEqual(large);
  });

  it("do not share memory with what they were decoded from", () => {
    const encoder = new HeaderEncoder();
    encoder.encode(createHeaders({ a: "value" }));
    const decoded = decodeHeaders(encoder.buffer, 0, encoder.length);
    encoder.buffer.fill(0);
    expect(String(decoded["a"])).toBe("value");
  });

  it("that reach beyond their section are refused", () => {
    const encoder = new HeaderEncoder();
    encoder.encode(createHeaders({ a: "value" }));
    expect(() => decodeHeaders(encoder.buffer, 0, encoder.length - 1)).toThrow(RangeError);
  });
});
