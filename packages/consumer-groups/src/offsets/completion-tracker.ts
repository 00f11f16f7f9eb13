import type { OffsetRange } from "@eos/core";

/** In flight. */
const OPEN = 0;
/** In flight, and something between it and the next one in flight is completed. */
const FOLLOWED = 1;
/** Completed; leaves the window when the oldest in flight is behind it, or when the window is full. */
const DONE = 2;

const INITIAL_CAPACITY = 64;

/**
 * What is completed of one partition. Records are handed out in the order of their offsets and completed in any order.
 *
 * Offsets have holes (transaction markers, compaction, what was completed before a restart). So nothing is counted:
 * what is completed is what lies between the offsets in flight, and only these are kept.
 *
 * @example
 * ```ts
 * const tracker = new CompletionTracker(committed, decodeOffsetMetadata(text, committed)?.completed ?? []);
 * for (const { offset } of batch) if (!tracker.isCompleted(offset)) tracker.started(offset);
 * tracker.passed(batch.nextOffset);
 * ```
 */
export class CompletionTracker {
  /**
   * A window of rising offsets, and at `#tail`, behind the last of them, its end: everything below that was handed out or
   * passed over. The entry at `#head` is in flight, or it is the end. (A field for the end would cost a heap number with
   * each record.)
   */
  #offsets = new Float64Array(INITIAL_CAPACITY);
  #states = new Uint8Array(INITIAL_CAPACITY);
  #head = 0;
  #tail = 0;
  #inFlight = 0;
  /** How many entries are FOLLOWED: each stands for one completed range. */
  #followed = 0;
  /** Completed before a restart; from `#nextRestored` on, beyond the end. */
  #restored: readonly OffsetRange[];
  #nextRestored = 0;

  /**
   * @param committed - where the group goes on
   * @param completed - what was completed beyond it: sorted, none touching another
   */
  constructor(committed: number, completed: readonly OffsetRange[]) {
    this.#offsets[0] = committed;
    this.#restored = completed;
    this.#reach(committed);
  }

  /** Whether it was completed before a restart: then it must not be handed out again. */
  isCompleted(offset: number): boolean {
    const ranges = this.#restored;
    let low = 0;
    let high = ranges.length;
    if (high === 0 || offset >= (ranges[high - 1] as OffsetRange).to) return false;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((ranges[middle] as OffsetRange).to <= offset) low = middle + 1;
      else high = middle;
    }
    return (ranges[low] as OffsetRange).from <= offset;
  }

  /**
   * The record is handed out.
   *
   * @throws RangeError when it or one behind it has been handed out already, or it was completed before a restart.
   */
  started(offset: number): void {
    if (this.#nextRestored < this.#restored.length) this.#reach(offset);
    if (offset < this.#end) throw new RangeError(`offset ${offset} cannot be handed out: ${this.#end} is next`);
    if (this.#tail + 1 === this.#offsets.length) this.#makeRoom();
    this.#offsets[this.#tail] = offset;
    this.#states[this.#tail] = OPEN;
    this.#tail++;
    this.#inFlight++;
    this.#offsets[this.#tail] = offset + 1;
    if (this.#nextRestored < this.#restored.length) this.#reach(offset + 1);
  }

  /** The record is done with. One that is not in flight is ignored: work that a seek left behind may still end. */
  completed(offset: number): void {
    const head = this.#head;
    if (head === this.#tail) return;
    if (this.#offsets[head] === offset) {
      if (this.#states[head] === FOLLOWED) this.#followed--;
      this.#inFlight--;
      this.#advance();
      return;
    }
    const index = this.#indexOf(offset);
    if (index < 0 || this.#states[index] === DONE) return;
    // What lies before it and what lies behind it become one range.
    if (this.#states[index] === FOLLOWED) this.#followed--;
    this.#states[index] = DONE;
    this.#inFlight--;
    this.#follow(index - 1);
  }

  /**
   * The batch is exhausted up to here: what it has no record for (markers, compacted offsets) counts as completed, once
   * everything before it is.
   */
  passed(nextOffset: number): void {
    this.#reach(nextOffset);
  }

  /** The offset to commit: everything below it is completed. */
  get position(): number {
    return this.#offsets[this.#head] as number;
  }

  /** What is completed beyond {@link CompletionTracker.position}. Offsets that were never handed out may be among it. */
  ranges(): readonly OffsetRange[] {
    const ranges: OffsetRange[] = [];
    let from = -1;
    for (let index = this.#head; index <= this.#tail && ranges.length < this.#followed; index++) {
      const state = this.#states[index];
      if (index < this.#tail && state === DONE) continue;
      const offset = this.#offsets[index] as number;
      if (from >= 0) ranges.push({ from, to: offset });
      from = state === FOLLOWED ? offset + 1 : -1;
    }
    for (let index = this.#nextRestored; index < this.#restored.length; index++) {
      ranges.push(this.#restored[index] as OffsetRange);
    }
    return ranges;
  }

  /** How many {@link CompletionTracker.ranges} there are. Cheap. */
  get rangeCount(): number {
    return this.#followed + this.#restored.length - this.#nextRestored;
  }

  /** No range reaches beyond it. Cheap. */
  get rangesEnd(): number {
    if (this.#nextRestored < this.#restored.length) return (this.#restored.at(-1) as OffsetRange).to;
    return this.#followed > 0 ? this.#end : this.position;
  }

  /** How many were handed out and are not completed. */
  get inFlight(): number {
    return this.#inFlight;
  }

  /** The first that was handed out and is not completed. */
  get oldest(): number | null {
    return this.#inFlight === 0 ? null : this.position;
  }

  /** A seek: what is in flight and what is completed are both forgotten. */
  resetTo(offset: number): void {
    this.#head = 0;
    this.#tail = 0;
    this.#inFlight = 0;
    this.#followed = 0;
    this.#offsets[0] = offset;
    this.#restored = [];
    this.#nextRestored = 0;
  }

  get #end(): number {
    return this.#offsets[this.#tail] as number;
  }

  /** Moves the end up to the offset, and over what was completed before the restart and begins there or before. */
  #reach(offset: number): void {
    let end = Math.max(this.#end, offset);
    const before = this.#nextRestored;
    for (; this.#nextRestored < this.#restored.length; this.#nextRestored++) {
      const { from, to } = this.#restored[this.#nextRestored] as OffsetRange;
      if (from > end) break;
      end = Math.max(end, to);
    }
    this.#offsets[this.#tail] = end;
    if (this.#nextRestored > before && this.#inFlight > 0) this.#follow(this.#tail - 1);
  }

  #follow(index: number): void {
    if (this.#states[index] !== OPEN) return;
    this.#states[index] = FOLLOWED;
    this.#followed++;
  }

  /** Off with the head, and with what is completed behind it. */
  #advance(): void {
    let head = this.#head + 1;
    while (head < this.#tail && this.#states[head] === DONE) head++;
    if (head === this.#tail) {
      this.#offsets[0] = this.#end;
      this.#head = 0;
      this.#tail = 0;
    } else {
      this.#head = head;
    }
  }

  #indexOf(offset: number): number {
    let low = this.#head;
    let high = this.#tail - 1;
    while (low <= high) {
      const middle = (low + high) >>> 1;
      const at = this.#offsets[middle] as number;
      if (at === offset) return middle;
      if (at < offset) low = middle + 1;
      else high = middle - 1;
    }
    return -1;
  }

  /** Drops what is completed out of the window, and doubles it unless that made half of it free. The end is left to the caller. */
  #makeRoom(): void {
    const offsets = this.#offsets;
    const states = this.#states;
    const isCrowded = this.#inFlight > offsets.length / 2;
    const roomyOffsets = isCrowded ? new Float64Array(offsets.length * 2) : offsets;
    const roomyStates = isCrowded ? new Uint8Array(states.length * 2) : states;
    let kept = 0;
    for (let index = this.#head; index < this.#tail; index++) {
      const state = states[index] as number;
      if (state === DONE) continue;
      roomyOffsets[kept] = offsets[index] as number;
      roomyStates[kept] = state;
      kept++;
    }
    this.#offsets = roomyOffsets;
    this.#states = roomyStates;
    this.#head = 0;
    this.#tail = kept;
  }
}
