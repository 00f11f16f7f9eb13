import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SerdeError } from "./errors.ts";
import { bytesSerde, stringSerde } from "./serde.ts";

describe("stringSerde", () => {
  it("reads what it wrote, from a Buffer and from a range", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), fc.nat(9), (value, before) => {
        const bytes = Buffer.from(stringSerde.serialize("t", value) as string, "utf8");
        const source = Buffer.concat([Buffer.alloc(before, 0x41), bytes, Buffer.from("tail")]);
        expect(stringSerde.deserialize("t", bytes)).toBe(value);
        expect(stringSerde.deserializeRange?.("t", source, before, before + bytes.length)).toBe(value);
      }),
    );
  });

  it("reads invalid UTF-8 as Java does, with U+FFFD", () => {
    expect(stringSerde.deserialize("t", Buffer.of(0x61, 0xff, 0x62))).toBe("a\uFFFDb");
  });

  it("refuses what is no string, by topic and type", () => {
    const write = (): unknown => stringSerde.serialize("orders", 5 as unknown as string);
    expect(write).toThrow(SerdeError);
    expect(write).toThrow("a string was expected, got number");
  });
});

describe("bytesSerde", () => {
  it("passes bytes through without a copy", () => {
    const bytes = Buffer.from("abcdef");
    expect(bytesSerde.serialize("t", bytes)).toBe(bytes);
    expect(bytesSerde.deserialize("t", bytes)).toBe(bytes);
    const range = bytesSerde.deserializeRange?.("t", bytes, 1, 3);
    expect(range).toEqual(Buffer.from("bc"));
    expect(range?.buffer).toBe(bytes.buffer);
  });

  it("refuses what is no bytes", () => {
    expect(() => bytesSerde.serialize("t", "text" as unknown as Buffer)).toThrow("bytes were expected, got string");
  });
});
