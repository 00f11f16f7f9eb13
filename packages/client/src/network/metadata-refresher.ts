interface Batch {
  readonly topics: Set<string>;
  readonly done: Promise<void>;
}

/**
 * One Metadata request at a time. A caller whose topics the running one covers shares it; everybody else's topics go
 * together into the next.
 */
export class MetadataRefresher {
  readonly #fetch: (topics: readonly string[]) => Promise<void>;
  #running: Batch | null = null;
  #next: Batch | null = null;

  constructor(fetch: (topics: readonly string[]) => Promise<void>) {
    this.#fetch = fetch;
  }

  refresh(topics: readonly string[]): Promise<void> {
    const running = this.#running;
    if (running === null) return this.#start(new Set(topics)).done;
    if (topics.every((topic) => running.topics.has(topic))) return running.done;
    if (this.#next === null) {
      const waiting = new Set<string>();
      // The outcome of the running request is its own callers' concern.
      const turn = running.done.catch(() => {});
      this.#next = {
        topics: waiting,
        done: turn.then(() => {
          this.#next = null;
          return this.#start(waiting).done;
        }),
      };
    }
    for (const topic of topics) this.#next.topics.add(topic);
    return this.#next.done;
  }

  #start(topics: Set<string>): Batch {
    const done = this.#fetch([...topics]).finally(() => {
      if (this.#running === batch) this.#running = null;
    });
    const batch: Batch = { topics, done };
    this.#running = batch;
    return batch;
  }
}
