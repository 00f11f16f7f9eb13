/** How a run of a task ended: nothing left, time is up, what it fills is full, or a promise is waited for. */
export type RunOutcome = "idle" | "more" | "full" | "waiting";

/** Work on one partition's queue that is done in turns with others'. */
export interface RunnableTask {
  /** Works until `untilMs` (`performance.now()`) at the longest. */
  run(untilMs: number): RunOutcome;
}

/** Sockets, heartbeats and timers get their turn after about this long, which the tasks share. */
const SLICE_MS = 3;
/** With many tasks each still gets enough for a few hundred records. */
const MIN_TASK_SLICE_MS = 0.25;
/** A task whose producer is full is looked at again after this long. */
const FULL_MS = 1;

/** Runs the tasks of a process in turns, in slices between which the event loop turns. */
export class Scheduler {
  readonly #tasks = new Set<RunnableTask>();
  readonly #canRun: (task: RunnableTask) => boolean;
  #scheduled = false;
  #sliceEndMs = 0;
  #closed = false;

  constructor(canRun: (task: RunnableTask) => boolean) {
    this.#canRun = canRun;
  }

  add(task: RunnableTask): void {
    this.#tasks.add(task);
    this.kick();
  }

  delete(task: RunnableTask): void {
    this.#tasks.delete(task);
  }

  close(): void {
    this.#closed = true;
    this.#tasks.clear();
  }

  /** There may be something to do. */
  kick(): void {
    if (this.#scheduled || this.#closed) return;
    this.#scheduled = true;
    setImmediate(() => this.#slice());
  }

  /**
   * A task can go on after its promise. Within the slice it does so at once, so that promises that are settled already
   * cost no turn of the event loop each.
   */
  resume(task: RunnableTask): void {
    if (!this.#scheduled && performance.now() < this.#sliceEndMs && this.#canRun(task)) {
      if (task.run(this.#sliceEndMs) === "waiting") return;
    }
    this.kick();
  }

  #slice(): void {
    this.#scheduled = false;
    const taskSliceMs = Math.max(SLICE_MS / this.#tasks.size, MIN_TASK_SLICE_MS);
    let isFull = false;
    let hasMore = false;
    for (const task of this.#tasks) {
      if (!this.#canRun(task)) continue;
      this.#sliceEndMs = performance.now() + taskSliceMs;
      const outcome = task.run(this.#sliceEndMs);
      if (outcome === "more") hasMore = true;
      else if (outcome === "full") isFull = true;
    }
    if (hasMore) this.kick();
    else if (isFull) setTimeout(() => this.kick(), FULL_MS);
  }
}
