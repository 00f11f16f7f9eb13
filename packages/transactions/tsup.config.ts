export { default } from "../../tooling/build/tsup.config.ts";
