import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Arena } from "../bytes/arena.ts";
import { NEVER } from "../bytes/stored-value.ts";
import type { Direction, EngineEntry } from "../engine/store-engine.ts";
import type { EntryCursor, EntrySource } from "./entry-source.ts";
import { mergeSorted } from "./merge-sorted.ts";

type Content = readonly (readonly [key: string, value: string | null])[];

const arena = new Arena();

function entry(key: string, value: string | null): EngineEntry {
  const bytes = Buffer.from(key, "latin1");
  return { key: bytes, value: arena.write(bytes, bytes.length, value, 0, NEVER) };
}

function sorted(content: Content, direction: Direction): EngineEntry[] {
  const sign = direction === "forward" ? 1 : -1;
  return content.map(([key, value]) => entry(key, value)).sort((a, b) => sign * a.key.compare(b.key));
}

function layerOf(content: Content, direction: Direction): EntrySource {
  const entries = sorted(content, direction);
  let at = 0;
  return { next: () => entries[at++] };
}

async function* engineOf(content: Content, direction: Direction): AsyncGenerator<EngineEntry, void, void> {
  for (const each of sorted(content, direction)) yield each;
}

function shown(each: EngineEntry): [string, string] {
  return [each.key.toString("latin1"), each.value.bytes().toString()];
}

async function drain(cursor: EntryCursor): Promise<[string, string][]> {
  const all: [string, string][] = [];
  for (let next = await cursor.next(); next !== undefined; next = await cursor.next()) all.push(shown(next));
  return all;
}

function naive(layers: readonly Content[], below: Content, direction: Direction): [string, string][] {
  const state = new Map<string, string | null>();
  for (const content of [below, ...layers.toReversed()]) for (const [key, value] of content) state.set(key, value);
  const live = [...state].filter((each): each is [string, string] => each[1] !== null);
  live.sort((a, b) => Buffer.compare(Buffer.from(a[0], "latin1"), Buffer.from(b[0], "latin1")));
  return direction === "forward" ? live : live.reverse();
}

// Few keys, so that layers collide; some are prefixes of others, some have the high bit set.
const keys = fc.constantFrom("", "a", "aa", "ab", "b", "b\0", "\x7f", "\x80", "\xff", "\xff\xff");
const contentOf = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<[string, T][]> =>
  fc.uniqueArray(fc.tuple(keys, value), { selector: ([key]) => key, maxLength: 10 });
const layerContent = contentOf(fc.option(fc.string({ maxLength: 3 }), { freq: 2 }));
const belowContent = contentOf(fc.string({ maxLength: 3 }));
const directions = fc.constantFrom<Direction>("forward", "reverse");

describe("mergeSorted", () => {
  it("gives what a map would hold to which the layers were applied from the lowest up", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(layerContent, { maxLength: 4 }),
        belowContent,
        directions,
        async (layers, below, direction) => {
          const cursor = mergeSorted(
            layers.map((content) => layerOf(content, direction)),
            engineOf(below, direction),
            direction,
          );
          expect(await drain(cursor)).toEqual(naive(layers, below, direction));
          expect(cursor.next()).toBeUndefined();
        },
      ),
      { numRuns: 500 },
    );
  });

  it("needs no promise where nothing lies below", () => {
    fc.assert(
      fc.property(fc.array(layerContent, { maxLength: 3 }), directions, (layers, direction) => {
        const cursor = mergeSorted(
          layers.map((content) => layerOf(content, direction)),
          null,
          direction,
        );
        const all: [string, string][] = [];
        for (let next = cursor.next(); next !== undefined; next = cursor.next()) {
          if (next instanceof Promise) throw new Error("a promise");
          all.push(shown(next));
        }
        expect(all).toEqual(naive(layers, [], direction));
      }),
    );
  });

  it("asks below once for each of its entries, and not before an entry of the layers can be told to be the first", async () => {
    let asked = 0;
    const generator = engineOf(
      [
        ["c", "below"],
        ["e", "below"],
      ],
      "forward",
    );
    const below = {
      next: () => {
        asked++;
        return generator.next();
      },
    };
    const layer = layerOf(
      [
        ["a", "above"],
        ["b", "above"],
        ["c", "above"],
        ["d", null],
        ["f", "above"],
      ],
      "forward",
    );
    const cursor = mergeSorted([layer], below, "forward");
    expect(asked).toBe(0);
    const first = cursor.next();
    expect(first).toBeInstanceOf(Promise);
    expect((await first)?.key.toString()).toBe("a");
    expect(asked).toBe(1);
    for (const key of ["b", "c"]) {
      const next = cursor.next();
      if (next === undefined || next instanceof Promise) throw new Error("not at once");
      expect(next.key.toString()).toBe(key);
    }
    expect(asked).toBe(1);
    expect(await drain(cursor)).toEqual([
      ["e", "below"],
      ["f", "above"],
    ]);
    expect(asked).toBe(3);
  });

  it("closes what is below, also before its first entry", async () => {
    let returned = 0;
    const below: AsyncIterator<EngineEntry> = {
      next: () => Promise.reject(new Error("not asked")),
      return: () => {
        returned++;
        return Promise.resolve({ done: true, value: undefined });
      },
    };
    await mergeSorted([], below, "forward").close();
    expect(returned).toBe(1);
    await mergeSorted([], null, "forward").close();
  });

  it("hands on what reading below throws", async () => {
    const below: AsyncIterator<EngineEntry> = { next: () => Promise.reject(new Error("a bad block")) };
    const cursor = mergeSorted([layerOf([["a", "1"]], "forward")], below, "forward");
    await expect(cursor.next()).rejects.toThrow("a bad block");
  });
});
