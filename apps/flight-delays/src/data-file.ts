import { createRequire } from "node:module";

const require = createRequire(import.meta.url);

/** The path of a file of `vega-datasets`. */
export function dataFile(name: string): string {
  return require.resolve(`vega-datasets/data/${name}`);
}
