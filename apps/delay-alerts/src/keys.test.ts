import { PassThrough } from "node:stream";
import { describe, expect, it } from "vitest";
import { listenToKeys } from "./keys.ts";

class FakeInput extends PassThrough {
  readonly modes: boolean[] = [];
  setRawMode(isRaw: boolean): void {
    this.modes.push(isRaw);
  }
}

function listen(): { input: FakeInput; done: string[]; stop: () => void } {
  const [input, done] = [new FakeInput(), [] as string[]];
  const stop = listenToKeys(input, {
    more: () => done.push("more"),
    fewer: () => done.push("fewer"),
    quit: () => done.push("quit"),
  });
  return { input, done, stop };
}

describe("listenToKeys", () => {
  it.each([
    ["+", ["more"]],
    ["=", ["more"]],
    ["-", ["fewer"]],
    ["q", ["quit"]],
    ["Q", ["quit"]],
    ["\u0003", ["quit"]],
    ["++-", ["more", "more", "fewer"]],
    ["x\u001b[A\r", []],
    ["constructor", []],
  ])("takes %j as %j", (keys, commands) => {
    const { input, done } = listen();
    input.write(keys);
    input.read();
    expect(done).toEqual(commands);
  });

  it("takes the terminal raw, and gives it back", () => {
    const { input, done, stop } = listen();
    expect(input.modes).toEqual([true]);
    stop();
    expect(input.modes).toEqual([true, false]);
    expect(input.isPaused()).toBe(true);
    input.write("+");
    input.read();
    expect(done).toEqual([]);
  });
});
