/** Where the end of a partition was at one moment. */
export interface EndOffsetPoint {
  /** Milliseconds on a clock that never goes back. */
  readonly timeMs: number;
  /** The last stable offset. */
  readonly endOffset: number;
}

/**
 * How long ago, in seconds, the end of the partition stood at this offset: about the age of the oldest record that is not
 * yet committed. Between two points the end is taken to have moved evenly, as kafka-lag-exporter does.
 *
 * @param points - oldest first, their offsets never falling
 * @param nowMs - on the clock of the points
 * @returns 0 when the end is not beyond the offset. `null` when the points do not reach back so far: the record is
 * older than the oldest of them, nobody knows by how much. kafka-lag-exporter draws its line further back instead, which
 * is a guess and may be wrong without bound.
 */
export function lagSeconds(points: readonly EndOffsetPoint[], offset: number, nowMs: number): number | null {
  const at = points.findLastIndex(({ endOffset }) => endOffset <= offset);
  const before = points[at];
  if (before === undefined) return null;
  const after = points[at + 1];
  if (after === undefined) return 0;
  const share = (offset - before.endOffset) / (after.endOffset - before.endOffset);
  const stoodMs = before.timeMs + share * (after.timeMs - before.timeMs);
  return Math.max(0, (nowMs - stoodMs) / 1_000);
}

const MAX_POINTS = 64;

/**
 * Where the end of a partition was, from the committed offset onwards: it reaches back as far as the group lags, or to when
 * watching began. Its size is bounded: when it is full, every other point goes, so that a longer lag is known less finely.
 */
export class EndOffsetHistory {
  #points: EndOffsetPoint[] = [];

  /** @param offset - the committed offset at that moment: what lies before it is not asked for again */
  add(point: EndOffsetPoint, offset: number): void {
    const points = this.#points;
    // The topic was deleted and made anew: what was known is of another log.
    if (point.endOffset < (points.at(-1)?.endOffset ?? 0)) points.length = 0;
    // While the end stands, two points say all: since when, and until when.
    if (points.at(-1)?.endOffset === point.endOffset && points.at(-2)?.endOffset === point.endOffset) points.pop();
    points.push(point);
    const behind = points.findLastIndex(({ endOffset }) => endOffset <= offset);
    if (behind > 0) points.splice(0, behind);
    // The first two enclose the committed offset: without one of them its age would jump, and could fall.
    if (points.length > MAX_POINTS) this.#points = points.filter((_, i) => i < 2 || (points.length - 1 - i) % 2 === 0);
  }

  /** As {@link lagSeconds}. After a rewind it is `null` until the offset is again where it was. */
  seconds(offset: number, nowMs: number): number | null {
    return lagSeconds(this.#points, offset, nowMs);
  }

  get size(): number {
    return this.#points.length;
  }
}
