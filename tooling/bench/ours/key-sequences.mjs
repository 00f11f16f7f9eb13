const KEYS = 1_000;

/**
 * Checks that numbered records (`record-<n>-…` under the key `k<n % 1000>`) come each once, and those of a key one after
 * the other.
 */
export class KeySequences {
  #next = Array.from({ length: KEYS }, (_, key) => key);
  #isBusy = new Uint8Array(KEYS);
  /** Records whose handling has ended. */
  ended = 0;
  /** Records that came while one of their key was being handled, again, or too early. */
  violations = 0;

  /** @returns the record's key, for {@link end} */
  begin({ value }) {
    const number = Number(value.slice("record-".length, value.indexOf("-", "record-".length)));
    const key = number % KEYS;
    if (this.#isBusy[key] === 1 || this.#next[key] !== number) this.violations++;
    this.#isBusy[key] = 1;
    this.#next[key] = number + KEYS;
    return key;
  }

  end(key) {
    this.#isBusy[key] = 0;
    this.ended++;
  }
}
