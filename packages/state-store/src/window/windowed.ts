/** A span of event time, ms since the epoch. */
export interface Window {
  readonly startMs: number;
  /** Exclusive for windows of a fixed size, inclusive for sessions, as in Kafka Streams. */
  readonly endMs: number;
}

/** A key in a window. */
export interface Windowed<K> {
  readonly key: K;
  readonly window: Window;
}
