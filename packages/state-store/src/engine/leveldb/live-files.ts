import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { DamagedFileError } from "./damaged-file-error.ts";
import { type Manifest, readManifest } from "./manifest.ts";
import { verifyTable } from "./table-format.ts";
import { SequenceCheck } from "./write-ahead-log.ts";

export const CURRENT = "CURRENT";
const CURRENT_PATTERN = /^(MANIFEST-\d+)\n$/;
const LOG_PATTERN = /^(\d+)\.log$/;
const STATE_FILE_PATTERN = /^(MANIFEST-\d+|\d+\.(ldb|log))$/;

/** The files that a LevelDB's state consists of; others in its folder are of no account: it removes them when it opens. */
export interface LiveFiles {
  readonly manifestName: string;
  /** As far as it was written when it was read. */
  readonly manifestBytes: Buffer;
  readonly manifest: Manifest;
  readonly tables: readonly { readonly name: string; readonly bytes: number }[];
  /** Names in the order they were written in. */
  readonly logs: readonly string[];
}

/**
 * Reads what a folder says it consists of. `undefined` when there is nothing in it.
 *
 * @throws DamagedFileError
 */
export async function readLiveFiles(folder: string): Promise<LiveFiles | undefined> {
  const names = await readdir(folder);
  if (!names.includes(CURRENT)) {
    // LevelDB would begin an empty database here.
    if (names.some((name) => STATE_FILE_PATTERN.test(name))) throw new DamagedFileError("CURRENT is missing");
    return undefined;
  }
  const manifestName = CURRENT_PATTERN.exec(await readFile(join(folder, CURRENT), "latin1"))?.[1];
  if (manifestName === undefined) throw new DamagedFileError("CURRENT does not name a MANIFEST");
  const manifestBytes = await readWhole(folder, manifestName);
  const manifest = about(manifestName, () => readManifest(manifestBytes));
  const logs = logsFrom(names, manifest.logNumber);
  // The log that a MANIFEST names is created before it is named, and removed after a later one is: without it, the
  // MANIFEST is an old one, or cut off, and what came after it would be missing without a gap.
  if (manifest.logNumber !== 0 && logs[0]?.number !== manifest.logNumber) {
    throw new DamagedFileError(`the log ${manifest.logNumber} that ${manifestName} names is missing`);
  }
  const tables = Array.from(manifest.tables, ([number, bytes]) => ({ name: tableName(number), bytes }));
  return { manifestName, manifestBytes, manifest, tables, logs: logs.map(({ name }) => name) };
}

/**
 * Reads every file of the state and checks each byte of it against LevelDB's own checksums, before LevelDB opens the
 * folder: it repairs and removes what it finds without saying so.
 *
 * @throws DamagedFileError
 */
export async function verifyLiveFiles(folder: string, files: LiveFiles): Promise<void> {
  for (const { name, bytes } of files.tables) {
    const table = await readWhole(folder, name);
    if (table.length !== bytes) throw new DamagedFileError(`${name} has ${table.length} bytes, not ${bytes}`);
    about(name, () => {
      verifyTable(table);
    });
  }
  const sequences = new SequenceCheck(files.manifest.lastSequence);
  for (const name of files.logs) {
    const log = await readWhole(folder, name);
    about(name, () => {
      sequences.add(log);
    });
  }
}

/** Bytes that the state takes on disk. */
export function stateBytes(folder: string): Promise<number> {
  return fileBytes(folder, STATE_FILE_PATTERN);
}

/** Bytes of what no table has yet. */
export function logBytes(folder: string): Promise<number> {
  return fileBytes(folder, LOG_PATTERN);
}

async function fileBytes(folder: string, pattern: RegExp): Promise<number> {
  let bytes = 0;
  for (const name of await readdir(folder)) {
    if (!pattern.test(name)) continue;
    // A compaction may have removed it since.
    bytes += await stat(join(folder, name)).then(
      ({ size }) => size,
      () => 0,
    );
  }
  return bytes;
}

function logsFrom(names: readonly string[], logNumber: number): { name: string; number: number }[] {
  return names
    .flatMap((name) => {
      const number = Number(LOG_PATTERN.exec(name)?.[1] ?? -1);
      return number >= logNumber ? [{ name, number }] : [];
    })
    .toSorted((a, b) => a.number - b.number);
}

function tableName(number: number): string {
  return `${String(number).padStart(6, "0")}.ldb`;
}

async function readWhole(folder: string, name: string): Promise<Buffer> {
  try {
    return await readFile(join(folder, name));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    throw new DamagedFileError(`${name} is missing`);
  }
}

function about<T>(name: string, check: () => T): T {
  try {
    return check();
  } catch (error) {
    if (error instanceof DamagedFileError) throw new DamagedFileError(`${name}: ${error.message}`);
    throw error;
  }
}
