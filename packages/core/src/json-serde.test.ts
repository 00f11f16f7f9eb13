import fc from "fast-check";
import { describe, expect, expectTypeOf, it } from "vitest";
import { z } from "zod";
import { SerdeError } from "./errors.ts";
import { jsonSerde } from "./json-serde.ts";
import type { Serde } from "./serde.ts";
import type { StandardSchemaResult, StandardSchemaV1 } from "./standard-schema.ts";

const serde = jsonSerde<unknown>();

/** Reads the text both ways, which must agree, and gives the value. */
function read(reader: Serde<unknown>, text: string | Buffer): unknown {
  const bytes = Buffer.from(text as string);
  const source = Buffer.concat([Buffer.from('{"a'), bytes, Buffer.from("\uFFFD")]);
  const [whole, range] = [
    (): unknown => reader.deserialize("orders", bytes),
    (): unknown => reader.deserializeRange?.("orders", source, 3, 3 + bytes.length),
  ].map((attempt) => {
    try {
      return { value: attempt() };
    } catch (error) {
      return { error };
    }
  });
  expect(range).toEqual(whole);
  if (whole && "error" in whole) throw whole.error as Error;
  return whole?.value;
}

function errorOf(action: () => unknown): SerdeError {
  try {
    action();
  } catch (error) {
    expect(error).toBeInstanceOf(SerdeError);
    expect(error).toMatchObject({ code: "EOS_SERDE", topic: "orders" });
    return error as SerdeError;
  }
  throw new Error("nothing was thrown");
}

function schemaOf(validate: (value: unknown) => unknown): StandardSchemaV1<unknown, unknown> {
  type Validate = StandardSchemaV1<unknown, unknown>["~standard"]["validate"];
  return { "~standard": { version: 1, vendor: "test", validate: validate as Validate } };
}

describe("jsonSerde", () => {
  it("reads what it wrote", () => {
    fc.assert(
      fc.property(fc.jsonValue({ noUnicodeString: false }), (value) => {
        const text = serde.serialize("orders", value) as string;
        expect(text).toBe(JSON.stringify(value));
        if (!text.includes('"__proto__":')) expect(read(serde, text)).toEqual(JSON.parse(text));
      }),
    );
  });

  it("accepts U+FFFD where it was really written", () => {
    expect(read(serde, '"\uFFFD"')).toBe("\uFFFD");
  });

  it.each([
    ["a lone byte", Buffer.of(0x22, 0xff, 0x22)],
    ["an overlong form", Buffer.of(0x22, 0xc0, 0xaf, 0x22)],
    ["a surrogate", Buffer.of(0x22, 0xed, 0xa0, 0x80, 0x22)],
    ["a cut character", Buffer.of(0x22, 0xe2, 0x82)],
  ])("refuses invalid UTF-8: %s", (_name, bytes) => {
    expect(errorOf(() => read(serde, bytes)).message).toBe(`${bytes.length} bytes are not valid UTF-8`);
  });

  it.each([[""], ["{"], ["secret"], ['{"password":"secret'], ["\uFEFF1"], ["NaN"], ["01"]])(
    "refuses what is no JSON, without quoting it: %j",
    (text) => {
      const error = errorOf(() => read(serde, text));
      expect(error.message).toBe(`${text.length} characters are not valid JSON`);
      expect(error.cause).toBeUndefined();
    },
  );

  it.each([
    ['{"__proto__":{"admin":true}}'],
    ['{"__proto__":1}'],
    ['{"a":[{"b":{"__proto__" : null}}]}'],
    ['{"\\u005f\\u005fproto\\u005f\\u005f":1}'],
    ['{"\\u005F_proto__":1}'],
    ['{"__pr\\u006fto__":1}'],
    ['{"__proto__":1,"__proto__":2}'],
  ])("refuses a __proto__ key: %s", (text) => {
    expect(errorOf(() => read(serde, text)).message).toBe('the JSON has a "__proto__" key');
  });

  it("refuses a __proto__ key whichever of its letters are escaped", () => {
    const escapes = fc.array(fc.constantFrom("plain", "lower", "upper"), { minLength: 9, maxLength: 9 });
    fc.assert(
      fc.property(escapes, (forms) => {
        const key = "__proto__".split("").map((letter, at) => {
          const code = letter.charCodeAt(0).toString(16).padStart(4, "0");
          if (forms[at] === "plain") return letter;
          return `\\u${forms[at] === "lower" ? code : code.toUpperCase()}`;
        });
        expect(() => read(serde, `[{"${key.join("")}":{}}]`)).toThrow(SerdeError);
      }),
    );
  });

  it("accepts __proto__ as a value, and other escapes in keys", () => {
    expect(read(serde, '{"a":"__proto__","b\\u0031":1}')).toEqual({ a: "__proto__", b1: 1 });
  });

  it("looks for __proto__ below any depth", () => {
    const depth = 10_000;
    expect(() => read(serde, `${"[".repeat(depth)}{"__proto__":1}${"]".repeat(depth)}`)).toThrow(SerdeError);
  });

  it.each([[undefined], [() => 1], [Symbol("s")]])("refuses to write what JSON has no form for (%#)", (value) => {
    expect(errorOf(() => serde.serialize("orders", value)).message).toBe(`a ${typeof value} cannot be written as JSON`);
  });

  it("keeps the cause when writing fails", () => {
    const cycle: { self?: unknown } = {};
    cycle.self = cycle;
    for (const value of [1n, cycle]) {
      expect(errorOf(() => serde.serialize("orders", value)).cause).toBeInstanceOf(TypeError);
    }
  });
});

describe("jsonSerde with a schema", () => {
  const order = z.object({
    id: z.number(),
    at: z.string().transform((text) => new Date(text)),
    tags: z.array(z.string()),
  });

  it("has the type that the schema gives", () => {
    expectTypeOf(jsonSerde(order)).toEqualTypeOf<Serde<{ id: number; at: Date; tags: string[] }>>();
  });

  it("gives what the schema made of the value", () => {
    const at = "2024-01-01T00:00:00.000Z";
    expect(read(jsonSerde(order), JSON.stringify({ id: 1, at, tags: [], extra: 1 }))).toEqual({
      id: 1,
      at: new Date(at),
      tags: [],
    });
  });

  it("names the paths that do not fit, and no values", () => {
    const error = errorOf(() => read(jsonSerde(order), '{"id":"secret","at":"x","tags":["a",7]}'));
    expect(error.message).toBe("the value does not fit the schema at id, tags.1");
    expect(errorOf(() => read(jsonSerde(order), "5")).message).toBe("the value does not fit the schema at its root");
  });

  it("names five paths at most, each once, in either form that the specification has", () => {
    const issues = ["a", "a", "b", { key: "c" }, 4, Symbol("e"), "f", "g"].map((key) => ({
      message: "m",
      path: [key],
    }));
    const error = errorOf(() => read(jsonSerde(schemaOf(() => ({ issues }))), "1"));
    expect(error.message).toBe("the value does not fit the schema at a, b, c, 4, Symbol(e) and 2 more");
  });

  it("refuses an asynchronous schema and leaves no rejection behind", async () => {
    const later = schemaOf(() => Promise.reject<StandardSchemaResult<unknown>>(new Error("late")));
    expect(errorOf(() => jsonSerde(later).deserialize("orders", Buffer.from("1"))).message).toBe(
      "the schema is asynchronous",
    );
    await new Promise(setImmediate);
  });

  it("wraps what a schema throws", () => {
    const cause = new Error("schema bug");
    const failing = schemaOf(() => {
      throw cause;
    });
    expect(errorOf(() => read(jsonSerde(failing), "1")).cause).toBe(cause);
  });
});
