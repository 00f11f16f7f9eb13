import type { KafkajsRequestQueue } from "./internals.ts";

/**
 * kafkajs arms a timer again each time it has looked for throttled requests, also when there are none: about 800
 * wake-ups a second on every idle connection, with a negative timeout (a warning on Node 24). This arms it only
 * while something waits for the end of a throttle. On this queue alone: other users of kafkajs in the process keep theirs.
 */
export function repairTimers(queue: KafkajsRequestQueue): void {
  queue.scheduleCheckPendingRequests = () => {
    if (queue.throttleCheckTimeoutId !== null || queue.pending.length === 0) return;
    queue.throttleCheckTimeoutId = setTimeout(
      () => {
        queue.throttleCheckTimeoutId = null;
        queue.checkPendingRequests();
      },
      Math.max(1, queue.throttledUntil - Date.now()),
    );
  };
}
