/**
 * Time is cut into segments of one length, whose id begins the physical key of what lies in them: expiry is a range
 * delete. The id is written in eight bytes, big-endian, which sort as the ids do, since none is below 0: a timestamp
 * before the epoch belongs to no segment that lives. (Java's division would round it up, into the segment 0.)
 */
export function segmentIdOf(timestamp: number, segmentIntervalMs: number): number {
  return Math.floor(timestamp / segmentIntervalMs);
}

/** The last timestamp that belongs to a segment. */
export function endOfSegment(segmentId: number, segmentIntervalMs: number): number {
  return (segmentId + 1) * segmentIntervalMs - 1;
}

/** Id of the oldest segment that is kept: what belongs to an older one is dropped, or is not put at all. */
export function oldestLiveSegment(streamTime: number, retentionMs: number, segmentIntervalMs: number): number {
  return Math.max(0, segmentIdOf(streamTime - retentionMs, segmentIntervalMs));
}
