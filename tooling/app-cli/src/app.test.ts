import { EosError } from "@eos/core";
import { describe, expect, it } from "vitest";
import { type App, runApp } from "./app.ts";

interface Ended {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

async function end<Prepared>(app: Partial<App<Prepared>>, args: readonly string[] = []): Promise<Ended> {
  const ended = { exitCode: NaN, stdout: "", stderr: "" };
  const nothing = (): never => {
    throw new Error("nobody should have called this");
  };
  await runApp<Prepared>(
    { name: "flights", help: "Usage: flights\n", prepare: nothing, run: nothing, ...app },
    {
      argv: ["node", "main.ts", ...args],
      env: { INPUT: "in" },
      stdout: { write: (text) => (ended.stdout += text) },
      stderr: { write: (text) => (ended.stderr += text) },
      exit: (exitCode) => (ended.exitCode = exitCode),
    },
  );
  return ended;
}

describe("runApp", () => {
  it("prepares from the arguments and the environment, runs to the end, and exits with 0", async () => {
    const seen: unknown[] = [];
    const ended = await end(
      {
        prepare: (args, environment) => ({ args, environment }),
        run: async (prepared) => void seen.push(prepared),
      },
      ["--trace"],
    );
    expect(seen).toEqual([{ args: ["--trace"], environment: { INPUT: "in" } }]);
    expect(ended).toEqual({ exitCode: 0, stdout: "", stderr: "" });
  });

  it("prints the help and exits with 0, and runs nothing", async () => {
    expect(await end({ prepare: () => "help" })).toEqual({ exitCode: 0, stdout: "Usage: flights\n", stderr: "" });
  });

  it.each(["at once", "later"])("tells of a wrong option, found %s, and exits with 2", async (when) => {
    const wrong = new TypeError('flights: unknown option "inptu"');
    const prepare = (): Promise<never> => {
      if (when === "at once") throw wrong;
      return Promise.reject(wrong);
    };
    expect(await end({ prepare })).toEqual({
      exitCode: 2,
      stdout: "",
      stderr: 'flights: unknown option "inptu"\nTry --help.\n',
    });
  });

  it("exits with 1 when it cannot be prepared for another reason", async () => {
    const prepare = (): never => {
      throw new Error("the data set\n  is not there");
    };
    expect(await end({ prepare })).toEqual({
      exitCode: 1,
      stdout: "",
      stderr: "flights: the data set is not there\n",
    });
  });

  it.each([
    [new TypeError("x is not a function"), "flights: x is not a function\n"],
    [
      new EosError("nobody answers", { code: "EOS_CONNECTION", severity: "retriable", hint: "Start it." }),
      "flights: EOS_CONNECTION: nobody answers — Start it.\n",
    ],
  ])("exits with 1 after a failure of the run, told in one line (%#)", async (error, stderr) => {
    const ended = await end({ prepare: () => ({}), run: () => Promise.reject(error) });
    expect(ended).toEqual({ exitCode: 1, stdout: "", stderr });
  });
});
