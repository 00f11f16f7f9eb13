import { parseArgs } from "node:util";

/** `--name value` options; a name ending in `?` may be left out. */
export function readOptions(...names) {
  const options = Object.fromEntries(names.map((name) => [name.replace("?", ""), { type: "string" }]));
  const { values } = parseArgs({ options });
  for (const name of names) {
    if (!name.endsWith("?") && values[name] === undefined) throw new TypeError(`--${name} is missing`);
  }
  return values;
}

export function onTermination(end) {
  for (const signal of ["SIGTERM", "SIGINT"]) {
    process.once(signal, () => {
      void end().then(() => process.exit(0));
    });
  }
}
