import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import {
  boolean,
  brokersList,
  checkOptions,
  fn,
  nonEmptyString,
  nonEmptyStringList,
  nonNegativeInteger,
  object,
  oneOf,
  positiveInteger,
  required,
} from "./options.ts";

const table = {
  groupId: required(nonEmptyString),
  sessionTimeoutMs: { ...positiveInteger, expects: "a positive integer (ms)" },
  producerScope: oneOf("task", "process"),
};

function messageOf(given: unknown): string {
  try {
    checkOptions("createGroup", given, table);
  } catch (error) {
    expect(error).toBeInstanceOf(TypeError);
    return (error as TypeError).message;
  }
  return "";
}

describe("checkOptions", () => {
  it("accepts options that fit, and undefined for one that is not required", () => {
    expect(messageOf({ groupId: "g", sessionTimeoutMs: 10, producerScope: undefined })).toBe("");
  });

  it.each([
    [
      { groupId: "g", sessionTimeout: 10 },
      'createGroup: unknown option "sessionTimeout"; did you mean "sessionTimeoutMs"?',
    ],
    [{ groupID: "g" }, 'createGroup: unknown option "groupID"; did you mean "groupId"?'],
    [
      { groupId: "g", colour: 1 },
      'createGroup: unknown option "colour"; known options: groupId, sessionTimeoutMs, producerScope',
    ],
    [
      { groupId: "g", constructor: 1 },
      'createGroup: unknown option "constructor"; known options: groupId, sessionTimeoutMs, producerScope',
    ],
    [{}, 'createGroup: option "groupId" is required; it must be a non-empty string'],
    [undefined, 'createGroup: option "groupId" is required; it must be a non-empty string'],
    [{ groupId: "" }, 'createGroup: option "groupId" must be a non-empty string, got ""'],
    [
      { groupId: "g", sessionTimeoutMs: "10" },
      'createGroup: option "sessionTimeoutMs" must be a positive integer (ms), got "10"',
    ],
    [
      { groupId: "g", producerScope: "thread" },
      'createGroup: option "producerScope" must be one of "task", "process", got "thread"',
    ],
    [null, "createGroup: options must be an object, got null"],
    [["g"], 'createGroup: options must be an object, got ["g"]'],
    ["g", 'createGroup: options must be an object, got "g"'],
  ])("says of %j what is wrong", (given, message) => {
    expect(messageOf(given)).toBe(message);
  });

  it.each([
    [1n, "1n"],
    [Symbol("s"), "a symbol"],
    [() => 1, "a function"],
    [{ a: 1 }, "an object"],
    [[], "an empty array"],
    [["a", 1], '["a", 1]'],
    [[1, 2, 3, 4], "an array of 4"],
    ["x".repeat(61), "a string of 61 characters"],
  ])("describes what came without writing it all out (%#)", (value, text) => {
    expect(() => checkOptions("f", { a: value }, { a: oneOf("never") })).toThrow(
      new TypeError(`f: option "a" must be one of "never", got ${text}`),
    );
  });
});

describe("the rules", () => {
  it.each([
    ["nonEmptyString", nonEmptyString, ["a"], ["", 1, null]],
    ["positiveInteger", positiveInteger, [1, 2 ** 53 - 1], [0, -1, 1.5, "1", NaN, Infinity, 2 ** 53]],
    ["nonNegativeInteger", nonNegativeInteger, [0, 1], [-1, 0.5, "0"]],
    ["boolean", boolean, [true, false], [0, "true", null]],
    ["fn", fn, [() => 1], [{}, null]],
    ["object", object, [{}, Object.create(null)], [null, [], "x", () => 1]],
    ["nonEmptyStringList", nonEmptyStringList, [["a"]], [[], [""], "a", [1]]],
    [
      "brokersList",
      brokersList,
      [["localhost:9092"], ["[::1]:9092", "b:1"]],
      [[], "localhost:9092", ["localhost"], ["a:0"], ["a:65536"], ["a: 1"], [1]],
    ],
    ["oneOf", oneOf("a", 1), ["a", 1], ["b", "1"]],
  ])("%s takes what it says and nothing else", (_name, rule, good, bad) => {
    for (const value of good) expect(rule.accepts(value), inspect(value)).toBe(true);
    for (const value of bad) expect(rule.accepts(value), inspect(value)).toBe(false);
  });
});
