import { randomBytes } from "node:crypto";
import { inject } from "vitest";

declare module "vitest" {
  interface ProvidedContext {
    bootstrapServers: string;
  }
}

/** The cluster that the whole test run shares (see vitest-global-setup.ts). */
export function testBroker(): { readonly bootstrapServers: string; readonly brokers: string[] } {
  const bootstrapServers = inject("bootstrapServers");
  return { bootstrapServers, brokers: bootstrapServers.split(",") };
}

/** A name that no other test uses, for topics, groups and transactional ids: `<prefix>-<8 hex digits>`. */
export function uniqueName(prefix: string): string {
  return `${prefix}-${randomBytes(4).toString("hex")}`;
}
