import { crc32 } from "node:zlib";

const BETWEEN = Buffer.of(0xff);

/** Number and digest of a store's entries, as the harness' own instruments compute them. */
export class StoreDigest {
  #records = 0;
  #sum = 0;

  add(key, value) {
    this.#records++;
    this.#sum += crc32(value, crc32(BETWEEN, crc32(key)));
  }

  json() {
    return JSON.stringify({ records: this.#records, digest: this.#sum.toString(16) });
  }
}
