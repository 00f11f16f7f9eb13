import { describe, it } from "vitest";
import { windowStore } from "../window/window-store.ts";
import { SimulatedTask } from "./simulated-task.ts";
import { testWindowStore } from "./window-contract.ts";
import type { WindowStoreUnderTest } from "./window-harness.ts";

describe.each(["persistent", "inMemory"] as const)("in storage '%s'", (storage) => {
  testWindowStore({
    describe,
    it,
    async open<K, V>(options: WindowStoreUnderTest<K, V>) {
      const builder = windowStore({ ...options, name: "windows", storage });
      const task = await SimulatedTask.start(() => builder);
      task.at(0);
      return {
        store: task.state,
        readOnly: builder.readOnly(0)!.store,
        at: (timestamp: number) => task.at(timestamp),
        commit: () => task.commit(),
        abort: () => task.abort(),
        close: () => task[Symbol.asyncDispose](),
      };
    },
  });
});
