import { defineConfig } from "tsup";

/**
 * The one build configuration: every package re-exports it, so that a move to another bundler is one file. The subpaths
 * `rxjs` and `testing` are built where there are such.
 */
export default defineConfig({
  entry: ["src/index.ts", "src/rxjs/index.ts", "src/testing/index.ts"],
  format: ["esm"],
  target: "node20",
  dts: true,
  sourcemap: true,
  clean: true,
  // Workspace packages stay imports: one copy of each class at run time, and of the error marker.
  skipNodeModulesBundle: true,
});
