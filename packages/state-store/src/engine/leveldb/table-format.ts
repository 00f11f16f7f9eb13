import { ByteReader } from "./byte-reader.ts";
import { DamagedFileError } from "./damaged-file-error.ts";
import { maskedChecksum } from "./masked-checksum.ts";

/** Two block handles of at most 20 bytes together each, padded to 40, and the magic number. */
const FOOTER_BYTES = 48;
const MAGIC = Buffer.from("57fb808b247547db", "hex");
/** type(1) ∥ checksum(4) */
const TRAILER_BYTES = 5;
const UNCOMPRESSED = 0;

interface BlockHandle {
  readonly offset: number;
  readonly size: number;
}

/**
 * Checks a table file (`doc/table_format.md`): each block's checksum, and that the blocks, one behind the other, are the
 * whole file.
 *
 * LevelDB, as classic-level opens it, checks no checksum when it reads: a flipped bit in a block of values, of the index
 * or of the Bloom filter returns a wrong value or, worse, hides a key.
 *
 * @throws DamagedFileError
 */
export function verifyTable(bytes: Buffer): void {
  const footer = bytes.length - FOOTER_BYTES;
  if (footer < 0 || !bytes.subarray(bytes.length - MAGIC.length).equals(MAGIC)) {
    throw new DamagedFileError("it does not end as a table does");
  }
  const handles = new ByteReader(bytes, footer, bytes.length - MAGIC.length);
  const metaIndex = readHandle(handles);
  const index = readHandle(handles);
  // As `TableBuilder::Finish` writes them.
  const blocks = [...handlesIn(bytes, index, footer), ...handlesIn(bytes, metaIndex, footer), metaIndex, index];
  let end = 0;
  for (const block of blocks) {
    if (block.offset !== end) throw new DamagedFileError(`no block begins at ${end}`);
    verifyBlock(bytes, block, footer);
    end += block.size + TRAILER_BYTES;
  }
  if (end !== footer) throw new DamagedFileError(`no block begins at ${end}`);
}

function readHandle(reader: ByteReader): BlockHandle {
  return { offset: reader.varint(), size: reader.varint() };
}

function verifyBlock(bytes: Buffer, { offset, size }: BlockHandle, limit: number): void {
  const typeAt = offset + size;
  if (typeAt + TRAILER_BYTES > limit) throw new DamagedFileError(`the block at ${offset} is too long`);
  if (bytes.readUInt32LE(typeAt + 1) !== maskedChecksum(bytes, offset, typeAt + 1)) {
    throw new DamagedFileError(`the checksum of the block at ${offset} is wrong`);
  }
}

/** The values of a block whose values are handles: entries `shared ∥ unshared ∥ value length ∥ key rest ∥ value`, then restarts. */
function handlesIn(bytes: Buffer, block: BlockHandle, limit: number): BlockHandle[] {
  verifyBlock(bytes, block, limit);
  const end = block.offset + block.size;
  if (bytes[end] !== UNCOMPRESSED) throw new DamagedFileError("its index is compressed");
  const entriesEnd = block.size < 4 ? -1 : end - 4 - 4 * bytes.readUInt32LE(end - 4);
  if (entriesEnd < block.offset) throw new DamagedFileError("its index cannot be read");
  const reader = new ByteReader(bytes, block.offset, entriesEnd);
  const handles: BlockHandle[] = [];
  while (!reader.isAtEnd) {
    reader.varint();
    const keyRestBytes = reader.varint();
    reader.varint();
    reader.skip(keyRestBytes);
    handles.push(readHandle(reader));
  }
  return handles;
}
