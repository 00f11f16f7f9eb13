import { ByteReader } from "./byte-reader.ts";
import { DamagedFileError } from "./damaged-file-error.ts";
import { readLog } from "./log-format.ts";

/** Tags of a version edit (`db/version_edit.cc`). */
const COMPARATOR = 1;
const LOG_NUMBER = 2;
const NEXT_FILE_NUMBER = 3;
const LAST_SEQUENCE = 4;
const COMPACT_POINTER = 5;
const DELETED_FILE = 6;
const NEW_FILE = 7;
const PREVIOUS_LOG_NUMBER = 9;

/** What a MANIFEST says a LevelDB consists of. */
export interface Manifest {
  /** Size in bytes by file number. */
  readonly tables: ReadonlyMap<number, number>;
  /** Write-ahead logs from this number on hold what no table has yet; 0 in a database never opened before. */
  readonly logNumber: number;
  /** Of the last write before the MANIFEST's last record; later ones may have followed in the logs. */
  readonly lastSequence: number;
}

/** @throws DamagedFileError */
export function readManifest(bytes: Buffer): Manifest {
  const { records, damage } = readLog(bytes);
  if (damage !== "none") throw new DamagedFileError("a checksum in it is wrong");
  const tables = new Map<number, number>();
  let logNumber: number | undefined;
  let nextFileNumber: number | undefined;
  let lastSequence: number | undefined;
  for (const record of records) {
    const reader = new ByteReader(record);
    while (!reader.isAtEnd) {
      const tag = reader.varint();
      switch (tag) {
        case COMPARATOR:
          reader.skipLengthPrefixed();
          break;
        case LOG_NUMBER:
          logNumber = reader.varint();
          break;
        case NEXT_FILE_NUMBER:
          nextFileNumber = reader.varint();
          break;
        case LAST_SEQUENCE:
          lastSequence = reader.varint();
          break;
        case PREVIOUS_LOG_NUMBER:
          reader.varint();
          break;
        case COMPACT_POINTER:
          reader.varint();
          reader.skipLengthPrefixed();
          break;
        case DELETED_FILE:
          reader.varint();
          tables.delete(reader.varint());
          break;
        case NEW_FILE: {
          reader.varint();
          const fileNumber = reader.varint();
          tables.set(fileNumber, reader.varint());
          reader.skipLengthPrefixed();
          reader.skipLengthPrefixed();
          break;
        }
        default:
          throw new DamagedFileError(`it has the unknown tag ${tag}`);
      }
    }
  }
  if (logNumber === undefined || nextFileNumber === undefined || lastSequence === undefined) {
    throw new DamagedFileError("it ends too early");
  }
  return { tables, logNumber, lastSequence };
}
