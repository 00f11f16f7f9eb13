import type { Clock, Logger } from "@eos/core";
import { MemoryLevel } from "memory-level";
import { sealedValue } from "../bytes/arena.ts";
import type { StoredValue } from "../bytes/stored-value.ts";
import { type ByteBatch, type ByteDatabase, dataRange } from "./byte-database.ts";
import { DatabaseEngine } from "./database-engine.ts";
import { engineFailure } from "./engine-failures.ts";
import { copyEntries } from "./entry-copy.ts";
import { openLevelEngine } from "./level-engine.ts";
import type { EngineBatch, KeyRange, StoreEngine, StorePosition } from "./store-engine.ts";
import { buildSnapshot } from "./store-snapshot.ts";

export interface MemoryEngineOptions {
  /** For messages. */
  readonly name: string;
  /**
   * What a snapshot says of which store it is.
   * @defaultValue ""
   */
  readonly identity?: string;
  readonly logger: Logger;
  readonly clock: Clock;
}

/** A store in memory: nothing of it survives `close`, so whenever it is opened, nothing is known of its changelog. */
export async function openMemoryEngine(options: MemoryEngineOptions): Promise<StoreEngine> {
  const encoding = "buffer";
  const level = new MemoryLevel<Buffer, Buffer>({
    keyEncoding: encoding,
    valueEncoding: encoding,
    storeEncoding: encoding,
  });
  await level.open();
  return new MemoryEngine(level as unknown as ByteDatabase, options);
}

class MemoryEngine extends DatabaseEngine<ByteDatabase> implements StoreEngine {
  readonly #options: MemoryEngineOptions;
  #position: StorePosition = { changelogOffset: -1, streamTime: -1 };
  #commitNumber = 0;
  #entries = 0;

  constructor(db: ByteDatabase, options: MemoryEngineOptions) {
    super(db, options.name);
    this.#options = options;
  }

  get position(): StorePosition {
    return this.#position;
  }

  get commitNumber(): number {
    return this.#commitNumber;
  }

  batch(): EngineBatch {
    const batch = this.databaseBatch();
    const isPresent = (key: Buffer): boolean => this.db.getSync(key) !== undefined;
    return new MemoryBatch(batch, isPresent, async (added, position) => {
      try {
        await batch.write();
      } catch (error) {
        throw engineFailure(this.folder, "writing", error);
      }
      this.#entries += added;
      this.#position = position;
      this.#commitNumber++;
    });
  }

  async clear(range: KeyRange): Promise<void> {
    try {
      const keys = await this.db.keys(dataRange(range)).all();
      await this.clearData(range);
      this.#entries -= keys.length;
    } catch (error) {
      throw engineFailure(this.folder, "writing", error);
    }
  }

  approximateNumEntries(): Promise<number> {
    return Promise.resolve(this.#entries);
  }

  approximateBytes(): Promise<number> {
    return Promise.resolve(0);
  }

  async snapshot(folder: string): Promise<void> {
    const { identity = "", logger, clock } = this.#options;
    try {
      await buildSnapshot(folder, async (partial) => {
        const copy = await openLevelEngine({ folder: partial, identity, logger, clock });
        try {
          await copyEntries(this, copy);
        } finally {
          await copy.close();
        }
      });
    } catch (error) {
      throw engineFailure(this.folder, "copying", error);
    }
  }

  async close(): Promise<void> {
    await this.db.close();
  }
}

/** Copies what it is given: a value in an arena would keep all of its chunk. */
class MemoryBatch implements EngineBatch {
  readonly #batch: ByteBatch;
  readonly #isPresent: (key: Buffer) => boolean;
  readonly #commit: (added: number, position: StorePosition) => Promise<void>;
  /** Whether a key is present after what was put and deleted so far. */
  readonly #written = new Map<string, boolean>();
  #added = 0;

  constructor(
    batch: ByteBatch,
    isPresent: (key: Buffer) => boolean,
    commit: (added: number, position: StorePosition) => Promise<void>,
  ) {
    this.#batch = batch;
    this.#isPresent = isPresent;
    this.#commit = commit;
  }

  put(value: StoredValue): void {
    const { buffer, keyStart, keyEnd } = value;
    const sealed = sealedValue(value);
    const keyLength = keyEnd - keyStart;
    const copy = Buffer.from(buffer.subarray(keyStart, keyEnd + sealed.length));
    const key = copy.subarray(0, keyLength);
    this.#note(key, true);
    this.#batch.put(key, copy.subarray(keyLength));
  }

  delete(key: Buffer): void {
    const copy = Buffer.from(key);
    this.#note(copy, false);
    this.#batch.del(copy);
  }

  write(position: StorePosition): Promise<void> {
    return this.#commit(this.#added, position);
  }

  discard(): Promise<void> {
    return this.#batch.close();
  }

  #note(key: Buffer, present: boolean): void {
    const id = key.toString("latin1");
    const before = this.#written.get(id) ?? this.#isPresent(key);
    this.#written.set(id, present);
    this.#added += Number(present) - Number(before);
  }
}
