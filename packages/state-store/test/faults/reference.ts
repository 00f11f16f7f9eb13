import { Arena } from "../../src/bytes/arena.ts";
import { NEVER } from "../../src/bytes/stored-value.ts";
import type { Direction, KeyRange, StoreEngine } from "../../src/engine/store-engine.ts";
import { Random } from "@tooling/faults";

/** By key, as text; what a store holds after a commit. */
export type Contents = ReadonlyMap<string, string>;

/** Keys that the commits up to {@link CLEARED_AFTER} write beside the others, and that are cleared behind it. */
const CLEARED_PREFIX = "\x01c";
const LASTING_PREFIX = "\x01d";
const CLEARED_RANGE: KeyRange = { gte: Buffer.from(CLEARED_PREFIX), lt: Buffer.from(LASTING_PREFIX) };

/** One range delete falls between two commits: nothing but LevelDB's own sequence numbers counts it. */
const CLEARED_AFTER = 300;
const KEYS = 400;
const WRITES_PER_COMMIT = 24;

/** What commit `n` (from 1 on) writes: always the same. */
function writesOf(n: number): Map<string, string | null> {
  const random = new Random(n);
  const writes = new Map<string, string | null>();
  for (let i = 0; i < WRITES_PER_COMMIT; i++) {
    const prefix = n <= CLEARED_AFTER && random.below(4) === 0 ? CLEARED_PREFIX : LASTING_PREFIX;
    const isDelete = random.below(5) === 0;
    writes.set(prefix + random.below(KEYS), isDelete ? null : `${n}:${"v".repeat(random.below(120))}`);
  }
  return writes;
}

/** Writes the commits behind the engine's position up to `last`. */
export async function writeCommits(
  engine: StoreEngine,
  last: number,
  onCommit: (commit: number) => void = () => undefined,
): Promise<void> {
  for (let n = commitOf(engine) + 1; n <= last; n++) {
    if (n === CLEARED_AFTER + 1) await engine.clear(CLEARED_RANGE);
    const arena = new Arena();
    const batch = engine.batch();
    for (const [text, value] of writesOf(n)) {
      const key = Buffer.from(text);
      if (value === null) batch.delete(key);
      else batch.put(arena.write(key, key.length, value, n, NEVER));
    }
    await batch.write({ changelogOffset: n, streamTime: n });
    onCommit(n);
  }
}

/** The commit that a store is at, by its position. */
export function commitOf(engine: StoreEngine): number {
  return Math.max(0, engine.position.changelogOffset);
}

function contentsAfter(commit: number): Contents {
  const contents = new Map<string, string>();
  for (let n = 1; n <= commit; n++) {
    if (n === CLEARED_AFTER + 1) for (const key of contents.keys()) if (key < LASTING_PREFIX) contents.delete(key);
    for (const [key, value] of writesOf(n)) {
      if (value === null) contents.delete(key);
      else contents.set(key, value);
    }
  }
  return contents;
}

/** What differs between a store and the reference of its own position; reads it in every way there is. */
export async function differences(engine: StoreEngine): Promise<string[]> {
  const commit = commitOf(engine);
  const expected = contentsAfter(commit);
  // The range delete behind this commit may have begun.
  const mayLack = (key: string): boolean => commit === CLEARED_AFTER && key < LASTING_PREFIX;
  const found: string[] = [];
  if (engine.commitNumber !== commit) found.push(`commit number ${engine.commitNumber} at position ${commit}`);
  if (engine.position.streamTime !== (commit === 0 ? -1 : commit)) found.push("stream time");
  const compare = (way: string, key: string, actual: string | undefined): void => {
    const wanted = expected.get(key);
    if (actual !== wanted && !(actual === undefined && mayLack(key))) found.push(`${way} ${key.slice(1)}`);
  };
  for (const prefix of [CLEARED_PREFIX, LASTING_PREFIX]) {
    for (let i = 0; i < KEYS; i++) compare("get", prefix + i, textOf(engine, prefix + i));
  }
  for (const direction of ["forward", "reverse"] satisfies Direction[]) {
    const scanned = new Map<string, string>();
    for await (const { key, value } of engine.iterate({}, direction)) {
      scanned.set(key.toString(), value.bytes().toString());
    }
    for (const key of new Set([...expected.keys(), ...scanned.keys()])) compare(direction, key, scanned.get(key));
  }
  return found;
}

function textOf(engine: StoreEngine, key: string): string | undefined {
  return engine.get(Buffer.from(key))?.bytes().toString();
}
