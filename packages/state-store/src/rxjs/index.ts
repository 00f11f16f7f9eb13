export { changes$ } from "./changes.ts";
