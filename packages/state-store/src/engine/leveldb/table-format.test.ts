import { describe, expect, it } from "vitest";
import { maskedChecksum } from "./masked-checksum.ts";
import { verifyTable } from "./table-format.ts";

/** Blocks of less than 128 bytes: each number of a handle is one byte. */
type Handle = readonly [offset: number, size: number];

/** A table of one data block and one filter block, whose index and metaindex are of the same size. */
function createTable(footerHandles: (metaIndex: Handle, index: Handle) => readonly [Handle, Handle]): Buffer {
  const parts: Buffer[] = [];
  let end = 0;
  const add = (content: Buffer): Handle => {
    const bytes = Buffer.concat([content, Buffer.alloc(5)]);
    bytes.writeUInt32LE(maskedChecksum(bytes, 0, content.length + 1), content.length + 1);
    parts.push(bytes);
    const handle: Handle = [end, content.length];
    end += bytes.length;
    return handle;
  };
  const data = add(Buffer.from("what lies in the table"));
  const filter = add(Buffer.from("what does not"));
  const metaIndex = add(handleBlock(filter));
  const index = add(handleBlock(data));
  const footer = Buffer.alloc(48);
  footer.set(footerHandles(metaIndex, index).flat());
  footer.write("57fb808b247547db", 40, "hex");
  return Buffer.concat([...parts, footer]);
}

/** One entry, key `k`; one restart. */
function handleBlock(handle: Handle): Buffer {
  return Buffer.from([0, 1, 2, 0x6b, ...handle, 0, 0, 0, 0, 1, 0, 0, 0]);
}

describe("a table", () => {
  it("is sound when its blocks are", () => {
    expect(() => {
      verifyTable(createTable((metaIndex, index) => [metaIndex, index]));
    }).not.toThrow();
  });

  it("is refused when its footer, which has no checksum, takes one block for another", () => {
    expect(() => {
      verifyTable(createTable((metaIndex, index) => [index, metaIndex]));
    }).toThrow("no block begins at 0");
    expect(() => {
      verifyTable(createTable((_, index) => [index, index]));
    }).toThrow("no block begins at");
  });
});
