import { describe, it } from "vitest";
import { keyValueStore } from "../key-value/key-value-store.ts";
import { testKeyValueStore } from "./key-value-contract.ts";
import { SimulatedTask } from "./simulated-task.ts";

describe.each(["persistent", "inMemory"] as const)("in storage '%s'", (storage) => {
  testKeyValueStore({
    describe,
    it,
    async open(serdes) {
      const builder = keyValueStore({ name: "store", storage, ...serdes });
      const task = await SimulatedTask.start(() => builder);
      task.at(0);
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
