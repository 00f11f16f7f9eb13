import { createRequire } from "node:module";
import { dirname, join } from "node:path";

const require = createRequire(import.meta.url);

/** The path of a file of `vega-datasets`. */
export function dataFile(name: string): string {
  return join(dirname(require.resolve("vega-datasets/package.json")), "data", name);
}
