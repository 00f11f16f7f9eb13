import { readStoredValue } from "../bytes/arena.ts";
import { type ByteDatabase, type ByteIterator, iteratorOptions } from "./byte-database.ts";
import { engineFailure, wrongValue } from "./engine-failures.ts";
import type { Direction, EngineEntry, KeyRange } from "./store-engine.ts";

/** A hop to a worker thread costs as much as some dozens of entries: few for who wants few, many for who scans. */
const FIRST_CHUNK_ENTRIES = 32;
const CHUNK_ENTRIES = 1024;
const CHUNK_BYTES = 128 * 1024;

/** Its snapshot is that of the moment it is made in, not of the first `next`. */
export class EngineIterator implements AsyncIterableIterator<EngineEntry> {
  readonly #iterator: ByteIterator;
  readonly #folder: string;
  #chunk: readonly [Buffer, Buffer][] = [];
  #at = 0;
  #nextSize = FIRST_CHUNK_ENTRIES;
  #isDone = false;

  constructor(db: ByteDatabase, folder: string, range: KeyRange, direction: Direction) {
    this.#folder = folder;
    try {
      this.#iterator = db.iterator(iteratorOptions(range, direction, CHUNK_BYTES));
    } catch (error) {
      throw engineFailure(folder, "reading", error);
    }
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<EngineEntry, undefined>> {
    if (this.#at >= this.#chunk.length && !(await this.#fill())) return { done: true, value: undefined };
    const [key, bytes] = this.#chunk[this.#at++]!;
    const value = readStoredValue(key, bytes);
    if (value !== null) return { done: false, value: { key, value } };
    await this.return();
    throw wrongValue(this.#folder);
  }

  async return(): Promise<IteratorResult<EngineEntry, undefined>> {
    this.#isDone = true;
    this.#chunk = [];
    await this.#iterator.close();
    return { done: true, value: undefined };
  }

  async #fill(): Promise<boolean> {
    if (this.#isDone) return false;
    try {
      this.#chunk = await this.#iterator.nextv(this.#nextSize);
    } catch (error) {
      await this.return();
      throw engineFailure(this.#folder, "reading", error);
    }
    this.#at = 0;
    this.#nextSize = CHUNK_ENTRIES;
    if (this.#chunk.length > 0) return true;
    await this.return();
    return false;
  }
}
