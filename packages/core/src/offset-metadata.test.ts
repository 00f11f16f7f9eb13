import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeOffsetMetadata, encodeOffsetMetadata, tryEncodeOffsetMetadata } from "./offset-metadata.ts";

describe("offset metadata", () => {
  it("has one written form", () => {
    expect(encodeOffsetMetadata({ transactionalId: "app-0_3" })).toBe('eos1:{"transactionalId":"app-0_3"}');
    expect(encodeOffsetMetadata({})).toBe("eos1:{}");
  });

  it("reads what it wrote", () => {
    const metadata = fc.record({ transactionalId: fc.string({ unit: "binary" }) }, { requiredKeys: [] });
    fc.assert(
      fc.property(metadata, (given) => {
        expect(decodeOffsetMetadata(encodeOffsetMetadata(given))).toEqual(given);
      }),
    );
  });

  it("fits into what a broker takes by default, counted in bytes", () => {
    const bytesOfTheRest = encodeOffsetMetadata({ transactionalId: "" }).length;
    const longest = "é".repeat(Math.floor((4_096 - bytesOfTheRest) / 2)) + "x".repeat((4_096 - bytesOfTheRest) % 2);
    expect(Buffer.byteLength(encodeOffsetMetadata({ transactionalId: longest }))).toBe(4_096);
    expect(() => encodeOffsetMetadata({ transactionalId: `${longest}x` })).toThrow(
      new RangeError("offset metadata takes 4097 bytes, more than 4096"),
    );
  });

  const completed = [{ from: 101, to: 400 }];

  it("has what is completed beyond the offset after the producer", () => {
    expect(encodeOffsetMetadata({ completed }, 100)).toBe('eos1:{"done":"r:AasCu1dJjg"}');
    expect(encodeOffsetMetadata({ transactionalId: "a", completed }, 100)).toBe(
      'eos1:{"transactionalId":"a","done":"r:AasCu1dJjg"}',
    );
    expect(encodeOffsetMetadata({ completed: [] })).toBe("eos1:{}");
  });

  it("reads what is completed, at the offset that it was committed with and at no other", () => {
    const text = encodeOffsetMetadata({ transactionalId: "a", completed }, 100);
    expect(decodeOffsetMetadata(text, 100)).toEqual({ transactionalId: "a", completed });
    expect(decodeOffsetMetadata(text, 99)).toEqual({ transactionalId: "a" });
    expect(decodeOffsetMetadata(text)).toEqual({ transactionalId: "a" });
  });

  it.each([['"r:BasCu1dJjg"'], ['"r:AasCu1dJ"'], ['""'], ["1"], ["null"], ["{}"], ["[]"]])(
    "keeps the rest when what is completed is %s",
    (done) => {
      expect(decodeOffsetMetadata(`eos1:{"transactionalId":"a","done":${done}}`, 100)).toEqual({
        transactionalId: "a",
      });
    },
  );

  it("does not count what is completed from nowhere", () => {
    expect(() => encodeOffsetMetadata({ completed })).toThrow(TypeError);
  });

  it("is null rather than longer than is asked for", () => {
    const text = encodeOffsetMetadata({ transactionalId: "é", completed }, 100);
    const bytes = Buffer.byteLength(text);
    expect(tryEncodeOffsetMetadata({ transactionalId: "é", completed }, 100, bytes)).toBe(text);
    expect(tryEncodeOffsetMetadata({ transactionalId: "é", completed }, 100, bytes - 1)).toBeNull();
    expect(tryEncodeOffsetMetadata({ transactionalId: "x".repeat(4_096) }, 100)).toBeNull();
  });

  it("leaves out fields of later versions", () => {
    expect(decodeOffsetMetadata('eos1:{"streamTime":1,"transactionalId":"a"}')).toEqual({ transactionalId: "a" });
  });

  it.each([
    [null],
    [""],
    ["AgAAAYc="],
    ['eos2:{"transactionalId":"a"}'],
    ["eos1:"],
    ["eos1:{"],
    ["eos1:null"],
    ["eos1:[]"],
    ['eos1:"a"'],
    ['eos1:{"transactionalId":1}'],
    ['eos1:{"transactionalId":null}'],
  ])("takes %j for nothing of ours", (text) => {
    expect(decodeOffsetMetadata(text)).toBeNull();
  });

  it("takes nothing from a prototype", () => {
    expect(decodeOffsetMetadata('eos1:{"__proto__":{"transactionalId":"a"}}')).toEqual({});
  });

  it("never throws, whatever the text", () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        decodeOffsetMetadata(text);
        decodeOffsetMetadata(`eos1:${text}`);
      }),
    );
  });
});
