import { expect, test } from "vitest";
import { UnsupportedVersionError } from "../errors/errors.ts";
import { KAFKA_APIS } from "./apis.ts";
import { checkBrokerVersions } from "./version-check.ts";

/** Kafka 4.3's ranges are wider; these are the narrowest that do. */
function ranges(changes: { [apiKey: number]: { minVersion: number; maxVersion: number } | undefined } = {}) {
  const offered = KAFKA_APIS.map(({ key, versions }) => [
    key,
    { minVersion: versions[0] as number, maxVersion: versions[0] as number },
  ]);
  return { ...Object.fromEntries(offered), ...changes };
}

test("a broker that speaks one of our versions of every API is fine", () => {
  expect(() => checkBrokerVersions("b:1", ranges())).not.toThrow();
  expect(() => checkBrokerVersions("b:1", ranges({ 0: { minVersion: 10, maxVersion: 13 } }))).not.toThrow();
});

test("a broker that raised a minimum, or lacks an API, is named with what both sides speak", () => {
  const check = () => checkBrokerVersions("b:1", ranges({ 1: { minVersion: 13, maxVersion: 18 }, 28: undefined }));
  expect(check).toThrow(UnsupportedVersionError);
  expect(check).toThrow(
    "Broker b:1 does not speak Fetch (13–18 offered, 11 needed), TxnOffsetCommit (not offered, 3 or 5 needed)",
  );
});
