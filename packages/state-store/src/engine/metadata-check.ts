import { CorruptStoreError } from "../errors.ts";
import type { ByteDatabase } from "./byte-database.ts";
import {
  CHECKPOINT_KEY,
  type CommitPosition,
  commitKey,
  commitNumberOf,
  decodeIdentity,
  decodeNumbers,
  decodePosition,
  encodeIdentity,
  encodeNumbers,
  encodePosition,
  FORMAT_KEY,
  FORMAT_VERSION,
  IDENTITY_KEY,
  POSITION_KEY,
} from "./store-metadata.ts";

export interface StoreMetadata {
  readonly position: CommitPosition;
  /** The last commit whose key is gone. */
  readonly checkpoint: number;
}

const NEW_STORE: StoreMetadata = {
  position: { changelogOffset: -1, streamTime: -1, commitNumber: 0 },
  checkpoint: 0,
};

const LAST_COMMIT_KEY = commitKey(Number.MAX_SAFE_INTEGER);

/**
 * Reads what the engine keeps for itself, and checks that the store is the one that is looked for, and that no commit is
 * missing among those since the checkpoint.
 *
 * @param identity - what a new store is begun with; `undefined`: whichever store it is, it is taken
 * @throws CorruptStoreError
 */
export async function readMetadata(
  db: ByteDatabase,
  folder: string,
  identity: string | undefined,
): Promise<StoreMetadata> {
  const corrupt = (reason: string): CorruptStoreError => new CorruptStoreError(folder, reason);
  const format = db.getSync(FORMAT_KEY);
  if (format === undefined) {
    const [someKey] = await db.keys({ limit: 1 }).all();
    if (someKey !== undefined) throw corrupt("it holds data, but no format version");
    await beginStore(db, identity ?? "");
    return NEW_STORE;
  }
  const version = decodeNumbers(FORMAT_KEY, format, 1)?.[0];
  if (version !== FORMAT_VERSION) {
    throw corrupt(`its format version is ${version ?? "unreadable"}, and ${FORMAT_VERSION} is the one read here`);
  }
  const found = decodeIdentity(db.getSync(IDENTITY_KEY));
  if (found === null) throw corrupt("its identity is not the one that was written");
  // A store of another layout or changelog may be whole, and its offset the newest: nothing else would tell.
  if (identity !== undefined && found !== identity) throw corrupt(`it is of "${found}", not of "${identity}"`);
  const position = decodePosition(db.getSync(POSITION_KEY));
  const checkpoint = decodeNumbers(CHECKPOINT_KEY, db.getSync(CHECKPOINT_KEY), 1)?.[0];
  if (position === null || checkpoint === undefined) throw corrupt("its position is not the one that was written");
  let last = checkpoint;
  for (const key of await db.keys({ gte: commitKey(0), lte: LAST_COMMIT_KEY }).all()) {
    const commitNumber = commitNumberOf(key);
    if (commitNumber !== last + 1) throw corrupt(`commit ${commitNumber} follows commit ${last}`);
    last = commitNumber;
  }
  if (last !== position.commitNumber) {
    throw corrupt(`its position is that of commit ${position.commitNumber}, and its last commit is ${last}`);
  }
  return { position, checkpoint };
}

async function beginStore(db: ByteDatabase, identity: string): Promise<void> {
  await db
    .batch()
    .put(FORMAT_KEY, encodeNumbers(FORMAT_KEY, FORMAT_VERSION))
    .put(IDENTITY_KEY, encodeIdentity(identity))
    .put(POSITION_KEY, encodePosition(NEW_STORE.position))
    .put(CHECKPOINT_KEY, encodeNumbers(CHECKPOINT_KEY, NEW_STORE.checkpoint))
    .write({ sync: true });
}
