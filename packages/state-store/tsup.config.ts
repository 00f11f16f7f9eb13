// @boundaries-ignore The one build configuration, which is no package to depend on.
export { default } from "../../tooling/build/tsup.config.ts";
