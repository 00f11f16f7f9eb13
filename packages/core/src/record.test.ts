import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createHeaders, formatTopicPartition } from "./record.ts";
import type { HeaderInput } from "./record.ts";

const awkwardNames = ["__proto__", "constructor", "toString", "hasOwnProperty", "", "0"];

describe("createHeaders", () => {
  it("has no prototype, so that nothing is inherited", () => {
    const headers = createHeaders();
    expect(Object.getPrototypeOf(headers)).toBeNull();
    for (const name of awkwardNames) expect(headers[name]).toBeUndefined();
  });

  it("keeps names that are special in JavaScript as data", () => {
    for (const name of awkwardNames) {
      const headers = createHeaders(JSON.parse(JSON.stringify({ [name]: "x" })) as { [name: string]: string });
      expect(Object.keys(headers)).toEqual([name]);
      expect(headers[name]).toEqual(Buffer.from("x"));
      expect(Object.getPrototypeOf(headers)).toBeNull();
    }
  });

  it("writes strings as UTF-8 and takes Buffers over without a copy", () => {
    const bytes = Buffer.of(1, 2);
    const headers = createHeaders({ text: "é", bytes, nothing: null });
    expect(headers["text"]).toEqual(Buffer.of(0xc3, 0xa9));
    expect(headers["bytes"]).toBe(bytes);
    expect(headers["nothing"]).toBeNull();
  });

  it("keeps the values of a repeated header in order", () => {
    expect(createHeaders({ a: ["1", null, Buffer.from("2")] })["a"]).toEqual([
      Buffer.from("1"),
      null,
      Buffer.from("2"),
    ]);
  });

  it("makes an array of one the value itself and an empty array no header", () => {
    expect({ ...createHeaders({ one: ["1"], none: [] }) }).toEqual({ one: Buffer.from("1") });
  });

  it("refuses a value that is no header value, by name", () => {
    expect(() => createHeaders({ size: 5 as unknown as string })).toThrow(
      new TypeError('createHeaders: header "size" must be a Buffer, a string or null, got number'),
    );
  });

  it("is the same when applied to its own result", () => {
    const value = fc.oneof(fc.string(), fc.constant(null));
    const name = fc.oneof(fc.string(), fc.constantFrom(...awkwardNames));
    fc.assert(
      fc.property(fc.dictionary(name, fc.oneof(value, fc.array(value)), { noNullPrototype: false }), (from) => {
        const once = createHeaders(from as { [name: string]: HeaderInput | HeaderInput[] });
        expect(createHeaders(once)).toEqual(once);
      }),
    );
  });
});

describe("formatTopicPartition", () => {
  it("joins topic and partition with a dash", () => {
    expect(formatTopicPartition({ topic: "orders", partition: 12 })).toBe("orders-12");
  });
});
