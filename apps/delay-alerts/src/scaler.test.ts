import { describe, expect, it } from "vitest";
import { Scaler } from "./scaler.ts";

interface Scaled {
  readonly scaler: Scaler;
  readonly calls: number[];
  readonly said: string[];
  readonly end: AbortController;
}

function create(scale: (members: number) => Promise<void> = async () => {}, started = Promise.resolve()): Scaled {
  const [calls, said, end] = [[] as number[], [] as string[], new AbortController()];
  const scaler = new Scaler({
    members: 2,
    started,
    signal: end.signal,
    scale(members) {
      calls.push(members);
      return scale(members);
    },
    onEvent: (text) => said.push(text),
    onFailure: (text) => said.push(`! ${text}`),
  });
  return { scaler, calls, said, end };
}

function deferred(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve = (): void => {};
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}

describe("Scaler", () => {
  it("adds and removes members, and says so", async () => {
    const { scaler, calls, said } = create();
    await scaler.change(1);
    await scaler.change(-1);
    expect(calls).toEqual([3, 2]);
    expect(said).toEqual(["scaling from 2 to 3", "scaled to 3", "scaling from 3 to 2", "scaled to 2"]);
  });

  it("makes one change of what is asked for while another is under way", async () => {
    const [begun, first] = [deferred(), deferred()];
    const { scaler, calls } = create((members) => {
      begun.resolve();
      return members === 3 ? first.promise : Promise.resolve();
    });
    const done = scaler.change(1);
    await begun.promise;
    for (const difference of [1, 1, 1, -1] as const) void scaler.change(difference);
    expect(calls).toEqual([3]);
    first.resolve();
    await done;
    expect(calls).toEqual([3, 5]);
  });

  it("keeps one member", async () => {
    const { scaler, calls, said } = create();
    void scaler.change(-1);
    await scaler.change(-1);
    await scaler.change(-1);
    expect(calls).toEqual([1]);
    expect(said).toContain("one member is the least");
  });

  it("waits for the start, and does nothing when that fails", async () => {
    const started = deferred();
    const { scaler, calls } = create(undefined, started.promise);
    const done = scaler.change(1);
    await Promise.resolve();
    expect(calls).toEqual([]);
    started.resolve();
    await done;
    expect(calls).toEqual([3]);

    const failed = create(undefined, Promise.reject(new Error("nobody answers")));
    await failed.scaler.change(1);
    expect(failed.calls).toEqual([]);
  });

  it("takes a member away again that could not start", async () => {
    const { scaler, calls, said } = create(async (members) => {
      if (members === 3) throw new Error("nobody answers");
    });
    await scaler.change(1);
    expect(calls).toEqual([3, 2]);
    expect(said).toContain("! scaling to 3 failed: nobody answers");
  });

  it("does not try for ever when removing fails as well", async () => {
    const { scaler, calls } = create(async () => {
      throw new Error("nobody answers");
    });
    await scaler.change(1);
    expect(calls).toEqual([3, 2]);
  });

  it("says nothing of what fails because the program ends", async () => {
    const { scaler, said, end } = create(async () => {
      end.abort();
      throw new Error("the group is closed");
    });
    await scaler.change(1);
    expect(said).toEqual(["scaling from 2 to 3"]);
  });
});
