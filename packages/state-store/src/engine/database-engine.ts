import { readStoredValue } from "../bytes/arena.ts";
import type { StoredValue } from "../bytes/stored-value.ts";
import { type ByteBatch, type ByteDatabase, dataRange } from "./byte-database.ts";
import { engineFailure, wrongValue } from "./engine-failures.ts";
import { EngineIterator } from "./engine-iterator.ts";
import type { Direction, EngineEntry, KeyRange } from "./store-engine.ts";

/** What the engines have in common: reading, and handing out batches. */
export abstract class DatabaseEngine<Database extends ByteDatabase> {
  protected readonly db: Database;
  /** Its folder, for messages. */
  protected readonly folder: string;

  protected constructor(db: Database, folder: string) {
    this.db = db;
    this.folder = folder;
  }

  get(key: Buffer): StoredValue | undefined {
    let bytes: Buffer | undefined;
    try {
      bytes = this.db.getSync(key);
    } catch (error) {
      throw engineFailure(this.folder, "reading", error);
    }
    if (bytes === undefined) return undefined;
    const value = readStoredValue(key, bytes);
    if (value === null) throw wrongValue(this.folder);
    return value;
  }

  iterate(range: KeyRange, direction: Direction): AsyncIterableIterator<EngineEntry> {
    return new EngineIterator(this.db, this.folder, range, direction);
  }

  protected databaseBatch(): ByteBatch {
    try {
      return this.db.batch();
    } catch (error) {
      throw engineFailure(this.folder, "writing", error);
    }
  }

  protected async clearData(range: KeyRange): Promise<void> {
    await this.db.clear(dataRange(range));
  }
}
