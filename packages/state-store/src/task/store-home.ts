import type { StoreEngine } from "../engine/store-engine.ts";

/** Where one store of one task lives between its openings. */
export interface StoreHome {
  /** @throws CorruptStoreError, StoreIoError, StoreLockedError */
  open(): Promise<StoreEngine>;
  /** Removes what is there; nothing of it opens again, also after a crash in the middle. */
  wipe(): Promise<void>;
  /** The store holds everything that its changelog does, and will until {@link markBehind}. */
  markCurrent(): Promise<void>;
  /** It may lack something from now on. */
  markBehind(): void;
  /** Lets others have the place. */
  release(): Promise<void>;
}
