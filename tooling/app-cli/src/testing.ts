export { Program, type ProgramEnd } from "./program.ts";
