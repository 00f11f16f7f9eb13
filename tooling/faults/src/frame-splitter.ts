const SIZE_BYTES = 4;

/** Cuts a stream of bytes into the frames of Kafka's protocol: a size (int32), then as many bytes. */
export class FrameSplitter {
  #chunks: Buffer[] = [];
  #length = 0;

  /** The payloads that are whole now that `chunk` came, each without its size. */
  push(chunk: Buffer): Buffer[] {
    this.#chunks.push(chunk);
    this.#length += chunk.length;
    const payloads: Buffer[] = [];
    for (let size = this.#nextSize(); size !== null && this.#length >= SIZE_BYTES + size; size = this.#nextSize()) {
      const bytes = this.#joined();
      payloads.push(bytes.subarray(SIZE_BYTES, SIZE_BYTES + size));
      this.#chunks = [bytes.subarray(SIZE_BYTES + size)];
      this.#length -= SIZE_BYTES + size;
    }
    return payloads;
  }

  #nextSize(): number | null {
    if (this.#length < SIZE_BYTES) return null;
    if ((this.#chunks[0] as Buffer).length < SIZE_BYTES) this.#joined();
    return (this.#chunks[0] as Buffer).readInt32BE(0);
  }

  #joined(): Buffer {
    if (this.#chunks.length > 1) this.#chunks = [Buffer.concat(this.#chunks, this.#length)];
    return this.#chunks[0] as Buffer;
  }
}
