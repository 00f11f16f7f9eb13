/** What has happened, in its order, to be waited for. */
export class Journal<E> {
  readonly entries: E[] = [];
  readonly #watchers = new Set<() => void>();

  readonly add = (entry: E): void => {
    this.entries.push(entry);
    for (const watcher of this.#watchers) watcher();
  };

  /** @throws Error that shows the last entries, when that is not so within `timeoutMs` */
  async until(isSo: (entries: readonly E[]) => boolean, timeoutMs = 10_000): Promise<readonly E[]> {
    if (isSo(this.entries)) return this.entries;
    await new Promise<void>((resolve, reject) => {
      const done = (): void => {
        clearTimeout(timer);
        this.#watchers.delete(look);
      };
      const look = (): void => {
        if (!isSo(this.entries)) return;
        done();
        resolve();
      };
      const timer = setTimeout(() => {
        done();
        const last = this.entries.slice(-10).map((entry) => JSON.stringify(entry));
        const what = `not within ${timeoutMs} ms; ${this.entries.length} entries, the last of them:`;
        reject(new Error([what, ...last].join("\n")));
      }, timeoutMs);
      this.#watchers.add(look);
    });
    return this.entries;
  }

  reached(count: number, timeoutMs?: number): Promise<readonly E[]> {
    return this.until((entries) => entries.length >= count, timeoutMs);
  }
}
