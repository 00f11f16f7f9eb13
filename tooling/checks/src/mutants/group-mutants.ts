import type { Mutant } from "./mutant.ts";

/** What consumer groups promise of order, of commits, and of rebalances. */
export const groupMutants: readonly Mutant[] = [
  {
    name: "lanes",
    file: "packages/consumer-groups/src/work/record-work.ts",
    find: "if (ahead !== undefined) {",
    replace: "if (ahead !== undefined && lane === null) {",
    test: {
      file: "packages/consumer-groups/src/work/record-work.test.ts",
      title: "lets keys go on beside each other, and the records of each one after the other",
    },
  },
  {
    name: "offset map on restart",
    file: "packages/consumer-groups/src/work/record-work.ts",
    find: "if (tracker.isCompleted(cursor.offset)) continue;",
    replace: "",
    test: {
      file: "packages/consumer-groups/src/work/record-work.test.ts",
      title: "does not hand out again what was completed before a restart",
    },
  },
  {
    name: "stale owner's commit",
    file: "packages/consumer-groups/src/member/committer.ts",
    find: "if (isGroupFence(error) && this.#refusal?.generation !== generation) {",
    replace: "if (isGroupFence(error) && this.#refusal !== null) {",
    test: {
      file: "packages/consumer-groups/src/member/committer.test.ts",
      title: "reports a refused commit once, asks to join again, and sends nothing more of that generation",
    },
  },
  {
    name: "drain",
    file: "packages/consumer-groups/src/member/consumer-member.ts",
    find: "await this.#drain(signal);",
    replace: "await Promise.resolve(signal);",
    test: {
      file: "packages/consumer-groups/src/member/consumer-member.test.ts",
      title: "waits for handlers and commits before it gives a partition up, and begins no record meanwhile",
    },
  },
  {
    name: "kept work",
    file: "packages/consumer-groups/src/member/assigned-works.ts",
    find: "const mayKeep = isConsecutive(this.#generation, generation);",
    replace: "const mayKeep = this.#generation === generation;",
    test: {
      file: "packages/consumer-groups/src/member/consumer-member.test.ts",
      title:
        "keeps what is queued and in hand when the next generation gives a partition back, and commits in that one",
    },
  },
  {
    name: "stuck handler",
    file: "packages/consumer-groups/src/member/consumer-member.ts",
    find: "onFailure(error);",
    replace: "",
    test: {
      file: "packages/consumer-groups/src/member/consumer-member.test.ts",
      title: "fails with the record that a handler is stuck at, whose slot nobody of it gets any more",
    },
  },
  {
    name: "contiguous prefix",
    file: "packages/consumer-groups/src/offsets/completion-tracker.ts",
    find: "if (this.#offsets[head] === offset) {",
    replace: "if (this.#offsets[head] !== undefined) {",
    test: {
      file: "packages/consumer-groups/src/offsets/completion-tracker.test.ts",
      title: "does not move over a record in flight",
    },
  },
  {
    name: "static membership",
    file: "packages/client/src/group/group-consumer.ts",
    find: "leaveGroup = !this.#isStatic",
    replace: "leaveGroup = true",
    test: {
      file: "packages/client/test/group.test.ts",
      title: "that restarts within its session timeout gets its partitions back, and nobody else notices.",
    },
  },
];
