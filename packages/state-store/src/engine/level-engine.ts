import { mkdir, realpath } from "node:fs/promises";
import type { Clock, Logger } from "@eos/core";
import { Level } from "level";
import { sealedValue } from "../bytes/arena.ts";
import type { StoredValue } from "../bytes/stored-value.ts";
import { StoreIoError, StoreLockedError } from "../errors.ts";
import type { ByteBatch, LevelDatabase } from "./byte-database.ts";
import { DatabaseEngine } from "./database-engine.ts";
import { engineFailure } from "./engine-failures.ts";
import { assertNotLocked } from "./level-lock.ts";
import { DamagedFileError } from "./leveldb/damaged-file-error.ts";
import { logBytes, readLiveFiles, stateBytes, verifyLiveFiles } from "./leveldb/live-files.ts";
import { estimateEntries } from "./mean-entry.ts";
import { readMetadata, type StoreMetadata } from "./metadata-check.ts";
import type { EngineBatch, KeyRange, StoreEngine, StorePosition } from "./store-engine.ts";
import {
  CHECKPOINT_KEY,
  commitKey,
  encodeNumbers,
  encodePosition,
  FIRST_DATA_KEY,
  POSITION_KEY,
} from "./store-metadata.ts";
import { buildSnapshot, copyLiveFiles } from "./store-snapshot.ts";
import { Turns } from "./turns.ts";

/** How often what was written is forced to the disk, at most. */
const SYNC_INTERVAL_MS = 10_000;
/** So many keys of commits are read when a store is opened, at most. */
const COMMITS_PER_CHECKPOINT = 10_000;
/** Behind all data: compacting from here to here flushes what is in memory, and compacts nothing. */
const BEHIND_DATA = Buffer.of(0xff, 0xff);

const EMPTY = Buffer.alloc(0);

const DEFAULT_WRITE_BUFFER_BYTES = 16 * 1024 * 1024;
const DEFAULT_CACHE_BYTES = 8 * 1024 * 1024;

export interface LevelEngineOptions {
  /** Created when it does not exist. */
  readonly folder: string;
  /**
   * Of which store this is. It is written when the store is begun, and one of another identity is corrupt.
   * @defaultValue none: whichever store it is, it is opened
   */
  readonly identity?: string;
  readonly logger: Logger;
  readonly clock: Clock;
  /**
   * What LevelDB gathers in memory before it writes a table; twice as much may be held, and as much is read from the log
   * at the next start after a crash.
   * @defaultValue 16 MiB, as RocksDB's in Kafka Streams: with less, compaction costs twice as much per put in a store of 10,000,000 keys
   */
  readonly writeBufferBytes?: number;
  /**
   * Blocks of tables kept in memory.
   * @defaultValue 8 MiB
   */
  readonly cacheBytes?: number;
}

/** By real path. LevelDB of this age, asked a second time within one process, refuses, but gives up the lock of the first. */
const openFolders = new Set<string>();

/**
 * Opens a store on LevelDB, or begins one, after every file of it was checked against its checksums.
 *
 * A batch survives the end of this process, `kill -9` too, from the moment `write` resolves. It is forced to the disk
 * with a later one, 10 s on at most while batches keep coming, and by `close`. So a power loss may take the last seconds:
 * the store is then as it was after some earlier batch, position included, and rolls forward from there.
 *
 * @throws CorruptStoreError when anything in the folder is not what was written, batches in the middle are missing, or it
 * is another store
 * @throws StoreLockedError when another process, or this one, has it open
 * @throws StoreIoError when the disk refuses
 */
export async function openLevelEngine(options: LevelEngineOptions): Promise<StoreEngine> {
  const { folder } = options;
  try {
    await mkdir(folder, { recursive: true, mode: 0o750 });
    const path = await realpath(folder);
    if (openFolders.has(path)) throw new StoreLockedError(folder);
    openFolders.add(path);
    try {
      return await openFolder(options, () => openFolders.delete(path));
    } catch (error) {
      openFolders.delete(path);
      throw error;
    }
  } catch (error) {
    throw engineFailure(folder, "opening", error);
  }
}

async function openFolder(options: LevelEngineOptions, onClosed: () => void): Promise<StoreEngine> {
  const { folder, clock, logger } = options;
  const startMs = clock.monotonicMs();
  await verifyFolder(folder);
  const verifiedMs = clock.monotonicMs();
  const level = new Level<Buffer, Buffer>(folder, {
    keyEncoding: "buffer",
    valueEncoding: "buffer",
    compression: false,
    writeBufferSize: options.writeBufferBytes ?? DEFAULT_WRITE_BUFFER_BYTES,
    cacheSize: options.cacheBytes ?? DEFAULT_CACHE_BYTES,
  });
  await level.open();
  const db = level as unknown as LevelDatabase;
  try {
    const metadata = await readMetadata(db, folder, options.identity);
    logger.debug(
      {
        folder,
        commitNumber: metadata.position.commitNumber,
        verifyMs: Math.round(verifiedMs - startMs),
        openMs: Math.round(clock.monotonicMs() - verifiedMs),
      },
      "Store opened",
    );
    return new LevelEngine(db, folder, clock, metadata, onClosed);
  } catch (error) {
    await db.close();
    throw error;
  }
}

async function verifyFolder(folder: string): Promise<void> {
  try {
    const files = await readLiveFiles(folder);
    if (files !== undefined) await verifyLiveFiles(folder, files);
  } catch (error) {
    // Files that another process is writing look damaged too, and whoever hears of damage wipes the folder.
    if (error instanceof DamagedFileError) await assertNotLocked(folder);
    throw error;
  }
}

class LevelEngine extends DatabaseEngine<LevelDatabase> implements StoreEngine {
  readonly #clock: Clock;
  readonly #onClosed: () => void;
  readonly #turns = new Turns();
  #position: StoreMetadata["position"];
  #checkpoint: number;
  #syncedAtMs: number;
  /** Something was written since the checkpoint, or since it was opened. */
  #isDirty = false;
  #failure: StoreIoError | undefined;
  #closing: Promise<void> | undefined;

  constructor(db: LevelDatabase, folder: string, clock: Clock, metadata: StoreMetadata, onClosed: () => void) {
    super(db, folder);
    this.#clock = clock;
    this.#position = metadata.position;
    this.#checkpoint = metadata.checkpoint;
    this.#syncedAtMs = clock.monotonicMs();
    this.#onClosed = onClosed;
  }

  get position(): StorePosition {
    return this.#position;
  }

  get commitNumber(): number {
    return this.#position.commitNumber;
  }

  batch(): EngineBatch {
    return new LevelBatch(this.databaseBatch(), (batch, position) =>
      this.#turns.take(() => this.#commit(batch, position)),
    );
  }

  clear(range: KeyRange): Promise<void> {
    return this.#turns.take(() => this.#writing(() => this.clearData(range)));
  }

  approximateNumEntries(): Promise<number> {
    return estimateEntries(this, () =>
      this.#reading(
        async () => (await this.db.approximateSize(FIRST_DATA_KEY, BEHIND_DATA)) + (await logBytes(this.folder)),
      ),
    );
  }

  approximateBytes(): Promise<number> {
    return this.#reading(() => stateBytes(this.folder));
  }

  async snapshot(folder: string): Promise<void> {
    try {
      await buildSnapshot(folder, (partial) => copyLiveFiles(this.folder, partial));
    } catch (error) {
      throw engineFailure(this.folder, "copying", error);
    }
  }

  close(): Promise<void> {
    return (this.#closing ??= this.#turns.take(() => this.#close()));
  }

  async #commit(batch: ByteBatch, position: StorePosition): Promise<void> {
    const next = { ...position, commitNumber: this.#position.commitNumber + 1 };
    await this.#writing(() => {
      batch.put(POSITION_KEY, encodePosition(next)).put(commitKey(next.commitNumber), EMPTY);
      return this.#write(batch);
    });
    this.#position = next;
    if (next.commitNumber - this.#checkpoint >= COMMITS_PER_CHECKPOINT) await this.#writeCheckpoint();
  }

  /**
   * The keys of commits would grow for ever. They may go only once their commits are in tables: removed in the same log,
   * they would take the proof of a gap with them that a damaged block of that log leaves.
   */
  async #writeCheckpoint(): Promise<void> {
    const { commitNumber } = this.#position;
    if (!this.#isDirty) return;
    await this.#writing(async () => {
      await this.db.compactRange(BEHIND_DATA, BEHIND_DATA);
      const batch = this.db.batch();
      for (let n = this.#checkpoint + 1; n <= commitNumber; n++) batch.del(commitKey(n));
      batch.put(CHECKPOINT_KEY, encodeNumbers(CHECKPOINT_KEY, commitNumber));
      await batch.write({ sync: true });
    });
    this.#checkpoint = commitNumber;
    this.#isDirty = false;
    this.#syncedAtMs = this.#clock.monotonicMs();
  }

  async #write(batch: ByteBatch): Promise<void> {
    const nowMs = this.#clock.monotonicMs();
    const sync = nowMs - this.#syncedAtMs >= SYNC_INTERVAL_MS;
    await batch.write({ sync });
    if (sync) this.#syncedAtMs = nowMs;
  }

  async #reading<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw engineFailure(this.folder, "reading", error);
    }
  }

  /** After a failed write LevelDB may take the next one, behind a gap in its log: nothing is written any more. */
  async #writing(work: () => Promise<void>): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    this.#isDirty = true;
    try {
      await work();
    } catch (error) {
      const failure = engineFailure(this.folder, "writing", error);
      if (failure instanceof StoreIoError) this.#failure = failure;
      throw failure;
    }
  }

  async #close(): Promise<void> {
    try {
      if (this.#failure === undefined) await this.#writeCheckpoint();
    } finally {
      await this.db.close();
      this.#onClosed();
    }
  }
}

class LevelBatch implements EngineBatch {
  readonly #batch: ByteBatch;
  readonly #commit: (batch: ByteBatch, position: StorePosition) => Promise<void>;

  constructor(batch: ByteBatch, commit: (batch: ByteBatch, position: StorePosition) => Promise<void>) {
    this.#batch = batch;
    this.#commit = commit;
  }

  put(value: StoredValue): void {
    this.#batch.put(value.key(), sealedValue(value));
  }

  delete(key: Buffer): void {
    this.#batch.del(key);
  }

  write(position: StorePosition): Promise<void> {
    return this.#commit(this.#batch, position);
  }

  discard(): Promise<void> {
    return this.#batch.close();
  }
}
