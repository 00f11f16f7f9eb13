import { boolean, nonEmptyString, nonEmptyStringList, nonNegativeInteger, oneOf, required } from "@eos/core";
import { describe, expect, it } from "vitest";
import { type CommandLine, type CommandLineValues, describeOptions, readCommandLine } from "./command-line.ts";

const OPTIONS = {
  input: { ...required(nonEmptyString), kind: "text", placeholder: "topic", help: "where it comes from" },
  hosts: { ...nonEmptyStringList, kind: "list", placeholder: "a,b", help: "some hosts" },
  "wait-ms": { ...nonNegativeInteger, kind: "unsigned-integer", placeholder: "ms", help: "how long" },
  degrees: { ...nonNegativeInteger, kind: "integer", placeholder: "n", help: "how warm" },
  scope: { ...oneOf("all", "one"), kind: "text", placeholder: "all|one", help: "for whom" },
  trace: { ...boolean, kind: "flag", help: "say more" },
  password: { ...nonEmptyString, kind: "text", isSecret: true, help: "nobody's business" },
} as const satisfies CommandLine;

function read(
  args: readonly string[],
  environment: { readonly [variable: string]: string } = {},
): CommandLineValues | "help" {
  return readCommandLine("program", OPTIONS, args, environment);
}

describe("readCommandLine", () => {
  it("takes a value behind a space or an equals sign, and nothing for what was not given", () => {
    expect({ ...(read(["--input", "a", "--wait-ms=5", "--hosts=x, y", "--trace"]) as CommandLineValues) }).toEqual({
      input: "a",
      "wait-ms": 5,
      hosts: ["x", "y"],
      trace: true,
    });
    expect(read(["--input=a=b"])).toMatchObject({ input: "a=b" });
  });

  it("takes the variable of the same name in capitals, unless it is empty or the command line says otherwise", () => {
    const environment = { INPUT: "env", WAIT_MS: "250", SCOPE: "", PASSWORD: "secret" };
    expect({ ...(read([], environment) as CommandLineValues) }).toEqual({
      input: "env",
      "wait-ms": 250,
      password: "secret",
    });
    expect(read(["--wait-ms", "0"], environment)).toMatchObject({ input: "env", "wait-ms": 0 });
  });

  it.each([
    ["true", true],
    ["1", true],
    ["false", false],
    ["0", false],
  ])("takes %s for a flag, from the environment and behind an equals sign", (text, value) => {
    expect(read(["--input", "a"], { TRACE: text })).toMatchObject({ trace: value });
    expect(read(["--input", "a", `--trace=${text}`])).toMatchObject({ trace: value });
  });

  it("gives the value of a flag to nobody: what follows it is an argument of its own", () => {
    expect(() => read(["--input", "a", "--trace", "false"])).toThrow('unexpected argument "false"');
  });

  it("ignores the -- that a package manager puts before the arguments, and only there", () => {
    expect(read(["--", "--input", "a"])).toMatchObject({ input: "a" });
    expect(() => read(["--input", "a", "--"])).toThrow('unknown option ""');
  });

  it.each([[["--help"]], [["-h"]], [["--nonsense", "--help"]], [["run", "-h"]]])("gives help for %j", (args) => {
    expect(read(args)).toBe("help");
  });

  it.each([
    [["--wait", "5"], 'program: unknown option "wait"; known options: input, hosts, wait-ms'],
    [["--wait-m", "5"], 'unknown option "wait-m"; did you mean "wait-ms"?'],
    [["--constructor", "x"], 'unknown option "constructor"'],
    [["--constructor"], 'unknown option "constructor"'],
    [["--__proto__", "x"], 'unknown option "__proto__"'],
    [["--wait-ms", "5s"], 'option "wait-ms" must be an integer of 0 or more, got "5s"'],
    [["--wait-ms=-1"], 'option "wait-ms" must be an integer of 0 or more, got "-1"'],
    [["--degrees=-1"], 'option "degrees" must be an integer of 0 or more, got -1'],
    [["--degrees", "1.5"], 'option "degrees" must be an integer of 0 or more, got "1.5"'],
    [["--wait-ms"], 'program: option "wait-ms" needs a value: an integer of 0 or more'],
    [["--scope", "--trace"], 'option "scope" needs a value: one of "all", "one"'],
    [["--scope", "some"], 'option "scope" must be one of "all", "one", got "some"'],
    [["--trace=yes"], 'option "trace" must be true or false, got "yes"'],
    [["run"], 'program: unexpected argument "run"; options begin with --'],
  ])("refuses %j and says what was expected", (args, message) => {
    expect(() => read(["--input", "a", ...args])).toThrow(TypeError);
    expect(() => read(["--input", "a", ...args])).toThrow(message);
  });

  it("names a required option that is missing", () => {
    expect(() => read([])).toThrow('program: option "input" is required');
  });

  it("refuses a secret on the command line, without repeating it", () => {
    expect(() => read(["--input", "a", "--password=hunter2"])).toThrow(
      new TypeError("program: set PASSWORD instead of --password: anybody can read a command line"),
    );
  });
});

describe("describeOptions", () => {
  it("lists the options in their order, a secret by its variable", () => {
    expect(describeOptions(OPTIONS)).toBe(
      [
        "  --input <topic>    where it comes from (required)",
        "  --hosts <a,b>      some hosts",
        "  --wait-ms <ms>     how long",
        "  --degrees <n>      how warm",
        "  --scope <all|one>  for whom",
        "  --trace            say more",
        "  PASSWORD           nobody's business",
        "  --help             this text",
      ].join("\n"),
    );
  });
});
