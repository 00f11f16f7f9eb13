import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeProcessId, decodeProcessIds, encodeProcessId, encodeProcessIds } from "./process-ids.ts";

describe("process ids in user data", () => {
  it("come back as they were sent", () => {
    fc.assert(
      fc.property(fc.string(), fc.array(fc.string()), (processId, processIds) => {
        expect(decodeProcessId(encodeProcessId(processId))).toBe(processId);
        expect(decodeProcessIds(encodeProcessIds(processIds))).toEqual(new Set(processIds));
      }),
    );
  });

  it("are unknown where another client sent something else, or nothing", () => {
    const foreign = [
      null,
      Buffer.alloc(0),
      Buffer.from([0, 1, 2]),
      Buffer.from("eos1:{"),
      Buffer.from("eos1:null"),
      Buffer.from('eos1:{"a":1}'),
    ];
    for (const userData of foreign) {
      expect(decodeProcessId(userData)).toBeNull();
      expect(decodeProcessIds(userData)).toBeNull();
    }
  });
});
