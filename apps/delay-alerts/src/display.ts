import type { GroupView } from "./group-view.ts";

/** Where the program says what happens. */
export interface Display {
  /** Something that happened. */
  event(text: string): void;
  /** Something that somebody should look at; to stderr. */
  warning(text: string): void;
  /** How things stand. */
  show(view: GroupView): void;
  /** How often it wants to be shown that. */
  readonly intervalMs: number;
  /** Nothing is shown any more. */
  close(): void;
}
