import type { Clock } from "@eos/core";
import { brokerError } from "../errors/errors.ts";
import { kafkaErrorClass, kafkaErrorName } from "../errors/kafka-errors.ts";
import type { GroupCoordinator } from "./group-coordinator.ts";
import { GroupLostError } from "./group-errors.ts";
import type { GroupGeneration } from "./group-generation.ts";

/** What ends the time in which a member holds its assignment. */
export type Interruption =
  | { readonly kind: "rebalance" }
  /** The generation is over for this member; it may join again. */
  | { readonly kind: "lost"; readonly error: Error }
  /** The member cannot go on. */
  | { readonly kind: "fatal"; readonly error: Error };

export interface HeartbeatsOptions {
  readonly coordinator: GroupCoordinator;
  readonly clock: Clock;
  readonly heartbeatIntervalMs: number;
  readonly sessionTimeoutMs: number;
}

const UNKNOWN_MEMBER_ID = 25;
const REBALANCE_IN_PROGRESS = 27;

/** Keeps a member in its group, and knows since when nobody has confirmed that it is. */
export class Heartbeats {
  readonly #options: HeartbeatsOptions;
  #lastAcceptedMs = 0;
  #endRun: (() => void) | null = null;
  #isStopped = false;

  constructor(options: HeartbeatsOptions) {
    this.#options = options;
  }

  /** The coordinator counted the member in, by other means than a heartbeat. */
  accepted(): void {
    this.#lastAcceptedMs = this.#options.clock.monotonicMs();
  }

  sinceAcceptedMs(): number {
    return this.#options.clock.monotonicMs() - this.#lastAcceptedMs;
  }

  /** Whether the coordinator counts the member in, in this generation. */
  async confirm(generation: GroupGeneration): Promise<boolean> {
    const code = await this.#beat(generation);
    // REBALANCE_IN_PROGRESS is an accepted heartbeat of the current generation as well.
    return code === 0 || code === REBALANCE_IN_PROGRESS;
  }

  /** For good: whatever still runs, the member is gone. */
  stop(): void {
    this.#isStopped = true;
    this.#endRun?.();
  }

  /**
   * Beats until `until` aborts or the generation is over. Never waits for an answer: one that does not come must neither
   * keep a session that has run out from being noticed, nor hold up whoever ends this.
   *
   * @param interrupt - may be called more than once
   * @param onTick - runs at every beat
   */
  async run(
    generation: GroupGeneration,
    until: AbortSignal,
    interrupt: (reason: Interruption) => void,
    onTick?: () => void,
  ): Promise<void> {
    const { clock, coordinator, heartbeatIntervalMs, sessionTimeoutMs } = this.#options;
    const run = new AbortController();
    const stop = run.signal;
    const end = (): void => run.abort();
    if (until.aborted || this.#isStopped) return;
    until.addEventListener("abort", end, { once: true });
    this.#endRun = end;
    const judge = (reason: Interruption | null): void => {
      if (reason === null || stop.aborted) return;
      if (reason.kind !== "rebalance") end();
      interrupt(reason);
    };
    let isUnanswered = false;
    let sentMs = 0;
    for (;;) {
      await clock.sleep(heartbeatIntervalMs, stop).catch(() => undefined);
      if (stop.aborted) return;
      onTick?.();
      if (isUnanswered) {
        // What is left of the session is for finding the coordinator where it is now, and staying in the generation.
        if (clock.monotonicMs() - sentMs > sessionTimeoutMs / 2) coordinator.suspectCoordinator();
        judge(this.#verdict(null, generation));
        continue;
      }
      isUnanswered = true;
      sentMs = clock.monotonicMs();
      void this.#beat(generation).then((code) => {
        isUnanswered = false;
        if (!stop.aborted) judge(this.#verdict(code, generation));
      });
    }
  }

  /** What a heartbeat's answer means; `null`: go on. */
  #verdict(code: number | null, { groupId }: GroupGeneration): Interruption | null {
    const { coordinator, sessionTimeoutMs } = this.#options;
    if (code === null) {
      if (this.sinceAcceptedMs() <= sessionTimeoutMs) return null;
      // Whoever joins next is not to wait for it either.
      coordinator.suspectCoordinator();
      const what = `no heartbeat was accepted for ${sessionTimeoutMs} ms, the session timeout`;
      return { kind: "lost", error: new GroupLostError(what) };
    }
    if (code === 0) return null;
    if (code === REBALANCE_IN_PROGRESS) return { kind: "rebalance" };
    if (kafkaErrorClass(code) === "fatal") {
      return { kind: "fatal", error: brokerError({ api: "Heartbeat", kafkaCode: code, groupId }) };
    }
    if (code === UNKNOWN_MEMBER_ID) coordinator.forgetMember();
    return { kind: "lost", error: new GroupLostError(`Heartbeat answered ${kafkaErrorName(code)}`) };
  }

  /** The coordinator's answer; `null` when there was none. */
  async #beat(generation: GroupGeneration): Promise<number | null> {
    const code = await this.#options.coordinator.heartbeat(generation);
    if (code === 0 || code === REBALANCE_IN_PROGRESS) this.accepted();
    return code;
  }
}
