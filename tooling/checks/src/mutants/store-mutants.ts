import type { Mutant } from "./mutant.ts";

/** What keeps a store equal to what is committed, and finds out when it is not. */
export const storeMutants: readonly Mutant[] = [
  {
    name: "one step",
    file: "packages/transactions/src/commit-unit.ts",
    find: "for (const group of this.groups.values()) group.beginCommit();",
    replace: "for (const group of this.groups.values()) group.beginCommit();\n      await null;",
    test: {
      file: "packages/transactions/src/commit-unit-participants.test.ts",
      title: "begins theirs in the step in which the producer's begins, and tells them when it is acknowledged",
    },
  },
  {
    name: "changelog end",
    file: "packages/state-store/src/task/task-store.ts",
    find: "const changelogOffset = Math.max(",
    replace: "await null;\n    const changelogOffset = Math.max(",
    test: {
      file: "packages/state-store/src/task/task-store.test.ts",
      title: "takes the changelog's end as of the acknowledgement, not what the next transaction has written by then",
    },
  },
  {
    name: "both transactions",
    file: "packages/state-store/src/bytes/overlay-store.ts",
    find: "this.#committing = null;\n    this.#filling = new OverlayLayer(this.#engine",
    replace: "this.#filling = new OverlayLayer(this.#engine",
    test: {
      file: "packages/state-store/src/bytes/overlay-store.test.ts",
      title: "shows what maps would show, through puts, commits and aborts",
    },
  },
  {
    name: "restore's end",
    file: "packages/state-store/src/changelog/changelog-range.ts",
    find: 'admin.listOffsets([changelog], "latest", "read_uncommitted")',
    replace: 'admin.listOffsets([changelog], "latest", "read_committed")',
    test: {
      file: "packages/state-store/test/integration/restore.test.ts",
      title: "is behind a transaction that is open when it starts: it is waited for.",
    },
  },
  {
    name: "value's checksum",
    file: "packages/state-store/src/bytes/arena.ts",
    find: "if (crc32(stored.subarray(0, valueEnd), crc32(key)) !== stored.readUInt32BE(valueEnd)) return null;",
    replace: "",
    test: {
      file: "packages/state-store/src/bytes/arena.test.ts",
      title: "refuses a value of which any bit is another, also of its key",
    },
  },
  {
    name: "commit numbers",
    file: "packages/state-store/src/engine/metadata-check.ts",
    find: "if (commitNumber !== last + 1) throw corrupt(`commit ${commitNumber} follows commit ${last}`);",
    replace: "",
    test: {
      file: "packages/state-store/src/engine/metadata-check.test.ts",
      title: "is corrupt when a commit in the middle is missing",
    },
  },
  {
    name: "behind",
    file: "packages/state-store/src/task/task-store.ts",
    find: "this.#overlay.suspend();",
    replace: "",
    test: {
      file: "packages/state-store/test/integration/open-store.test.ts",
      title: "takes nothing while it cannot go back to what its changelog says, and never leaves a gap",
    },
  },
  {
    name: "tombstones of the expired",
    file: "packages/state-store/src/task/expiry-sweep.ts",
    find: "if (store.getExpired(this.#key)?.expiresAt === expiresAt)",
    replace: "if (store.getExpired(this.#key)?.expiresAt === -1)",
    test: {
      file: "packages/state-store/src/task/task-store.test.ts",
      title: "deletes what has expired, with a tombstone, in a later transaction",
    },
  },
];
