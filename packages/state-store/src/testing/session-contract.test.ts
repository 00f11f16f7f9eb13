import { describe, it } from "vitest";
import { sessionStore } from "../session/session-store.ts";
import { SimulatedTask } from "./simulated-task.ts";
import { testSessionStore } from "./session-contract.ts";
import type { SessionStoreUnderTest } from "./session-harness.ts";

describe.each(["persistent", "inMemory"] as const)("in storage '%s'", (storage) => {
  testSessionStore({
    describe,
    it,
    async open<K, V>(options: SessionStoreUnderTest<K, V>) {
      const builder = sessionStore({ ...options, name: "sessions", storage });
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
