import { describe, it } from "vitest";
import { versionedKeyValueStore } from "../versioned/versioned-key-value-store.ts";
import { SimulatedTask } from "./simulated-task.ts";
import { testVersionedKeyValueStore } from "./versioned-contract.ts";

describe.each(["persistent", "inMemory"] as const)("in storage '%s'", (storage) => {
  testVersionedKeyValueStore({
    describe,
    it,
    async open(options) {
      const builder = versionedKeyValueStore({ name: "store", storage, ...options });
      const task = await SimulatedTask.start(() => builder);
      return {
        store: task.state,
        readOnly: builder.readOnly(task.partition)!.store,
        at: (timestamp) => task.at(timestamp),
        commit: () => task.commit(),
        abort: () => task.abort(),
        close: () => task[Symbol.asyncDispose](),
      };
    },
  });
});
