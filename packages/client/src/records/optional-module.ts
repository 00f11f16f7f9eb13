import { createRequire } from "node:module";

const require = createRequire(import.meta.url);

/** An optional dependency, or undefined when it is not installed or has no binary for this platform. */
export function loadOptionalModule(name: string): unknown {
  try {
    return require(name);
  } catch {
    return undefined;
  }
}
