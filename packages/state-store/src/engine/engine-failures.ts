import { basename } from "node:path";
import { EosError } from "@eos/core";
import { CorruptStoreError, StoreIoError, StoreLockedError } from "../errors.ts";
import { StoreClosedError } from "../iterators/iterator-errors.ts";
import { DamagedFileError } from "./leveldb/damaged-file-error.ts";

const CLOSED_CODES: ReadonlySet<unknown> = new Set([
  "LEVEL_DATABASE_NOT_OPEN",
  "LEVEL_ITERATOR_NOT_OPEN",
  "LEVEL_BATCH_NOT_OPEN",
]);

/**
 * What an error of the file system or of LevelDB means for the store. Anything else, as a bug, stays what it is.
 *
 * @param doing as in "reading", "opening"
 */
export function engineFailure(folder: string, doing: string, error: unknown): unknown {
  if (EosError.is(error)) return error;
  if (error instanceof DamagedFileError) return new CorruptStoreError(folder, error.message, error);
  const { code, cause, syscall } = error as { code?: unknown; cause?: unknown; syscall?: unknown };
  if (CLOSED_CODES.has(code)) {
    // What kept it from opening is the cause.
    return cause === undefined ? new StoreClosedError(basename(folder)) : engineFailure(folder, doing, cause);
  }
  if (code === "LEVEL_CORRUPTION") return new CorruptStoreError(folder, `LevelDB says: ${messageOf(error)}`, error);
  if (code === "LEVEL_LOCKED") return new StoreLockedError(folder, error);
  if (code === "LEVEL_IO_ERROR" || syscall !== undefined) return new StoreIoError(folder, doing, error);
  return error;
}

/** The key is not named: it may be a secret. */
export function wrongValue(folder: string): CorruptStoreError {
  return new CorruptStoreError(folder, "a value read is not the one that was written under its key");
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
