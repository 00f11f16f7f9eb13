/**
 * What was restored from the changelogs, and how long it took from the first one's start to the last one's end.
 * Prints `restoring` when it begins.
 */
export class RestoreReport {
  #startedAtMs = 0;
  #endedAtMs = 0;
  #restored = 0;

  onRestoreStart() {
    if (this.#startedAtMs !== 0) return;
    this.#startedAtMs = performance.now();
    console.log("restoring");
  }

  onRestoreEnd({ totalRestored }) {
    this.#endedAtMs = performance.now();
    this.#restored += totalRestored;
  }

  print() {
    console.log(JSON.stringify({ restored: this.#restored, restoreMs: this.#endedAtMs - this.#startedAtMs }));
  }
}
