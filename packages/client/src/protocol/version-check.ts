import { UnsupportedVersionError } from "../errors/errors.ts";
import { KAFKA_APIS } from "./apis.ts";

type VersionRanges = { readonly [apiKey: string]: { readonly minVersion: number; readonly maxVersion: number } };

/** @throws UnsupportedVersionError naming every API the broker lacks, with the versions both sides speak */
export function checkBrokerVersions(address: string, ranges: VersionRanges): void {
  const missing: string[] = [];
  for (const api of KAFKA_APIS) {
    const range = ranges[api.key];
    if (range === undefined) {
      missing.push(`${api.name} (not offered, ${api.versions.join(" or ")} needed)`);
    } else if (!api.versions.some((v) => v >= range.minVersion && v <= range.maxVersion)) {
      missing.push(
        `${api.name} (${range.minVersion}–${range.maxVersion} offered, ${api.versions.join(" or ")} needed)`,
      );
    }
  }
  if (missing.length > 0) throw new UnsupportedVersionError(`Broker ${address} does not speak ${missing.join(", ")}`);
}
