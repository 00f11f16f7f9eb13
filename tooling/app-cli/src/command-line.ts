import { checkOptions, type OptionRule } from "@eos/core";

/** An option of a command line, and how its text is read. */
export interface CommandLineOption extends OptionRule {
  /** `flag`: there or not; `integer`; `unsigned-integer`: digits alone; `list`: separated by commas; `text`. */
  readonly kind: "flag" | "integer" | "unsigned-integer" | "list" | "text";
  /** What it does, for `--help`. */
  readonly help: string;
  /** What stands for its value in `--help`. */
  readonly placeholder?: string;
  /** Only the environment may give it: other users of the machine can read a command line. */
  readonly isSecret?: true;
}

export type CommandLine = { readonly [option: string]: CommandLineOption };

/** What was given, by option; already checked against its rules. */
export type CommandLineValues = { readonly [option: string]: unknown };

/**
 * Reads `--option value`, `--option=value` and flags, and for options that are not on the command line the
 * environment variable of the same name in capitals (`--commit-interval-ms`: `COMMIT_INTERVAL_MS`).
 *
 * @returns `'help'` when `--help` is among the arguments
 * @throws TypeError on an option that is unknown, wrong or missing
 */
export function readCommandLine(
  program: string,
  options: CommandLine,
  args: readonly string[],
  environment: { readonly [variable: string]: string | undefined },
): CommandLineValues | "help" {
  if (args.includes("--help") || args.includes("-h")) return "help";
  const values: { [option: string]: unknown } = Object.create(null);
  for (const [name, option] of Object.entries(options)) {
    const text = environment[variableName(name)];
    if (text !== undefined && text !== "") values[name] = parseValue(option, text);
  }
  // pnpm hands a `--` between its own arguments and ours on.
  const given = args[0] === "--" ? args.slice(1) : args;
  for (let index = 0; index < given.length; index += 1) {
    const { name, text } = splitArgument(program, given[index] as string);
    const option = Object.hasOwn(options, name) ? options[name] : undefined;
    if (option?.isSecret) {
      throw new TypeError(
        `${program}: set ${variableName(name)} instead of --${name}: anybody can read a command line`,
      );
    }
    if (option === undefined) {
      // Refused below; what follows it may be its value or not.
      values[name] = text;
      break;
    }
    if (option.kind === "flag") {
      values[name] = text === undefined ? true : parseValue(option, text);
    } else {
      const value = text ?? given[++index];
      if (value === undefined || (text === undefined && value.startsWith("--"))) {
        throw new TypeError(`${program}: option "${name}" needs a value: ${option.expects}`);
      }
      values[name] = parseValue(option, value);
    }
  }
  checkOptions(program, values, options);
  return values;
}

/** The lines of `--help` about the options. */
export function describeOptions(options: CommandLine): string {
  const entries = Object.entries(options).map(([name, { placeholder, help, isSecret, required }]): [string, string] => {
    const usage = isSecret ? variableName(name) : `--${name}${placeholder === undefined ? "" : ` <${placeholder}>`}`;
    return [usage, required ? `${help} (required)` : help];
  });
  entries.push(["--help", "this text"]);
  const width = Math.max(...entries.map(([usage]) => usage.length));
  return entries.map(([usage, help]) => `  ${usage.padEnd(width)}  ${help}`).join("\n");
}

function variableName(option: string): string {
  return option.toUpperCase().replaceAll("-", "_");
}

function splitArgument(program: string, argument: string): { name: string; text: string | undefined } {
  if (!argument.startsWith("--")) {
    throw new TypeError(`${program}: unexpected argument ${JSON.stringify(argument)}; options begin with --`);
  }
  const equals = argument.indexOf("=");
  return equals < 0
    ? { name: argument.slice(2), text: undefined }
    : { name: argument.slice(2, equals), text: argument.slice(equals + 1) };
}

/** Text that is not of its kind stays text, which the option's rule then refuses and quotes. */
function parseValue({ kind }: CommandLineOption, text: string): unknown {
  if (kind === "flag") return text === "true" || text === "1" || (text === "false" || text === "0" ? false : text);
  if (kind === "integer") return /^-?\d+$/.test(text) ? Number(text) : text;
  if (kind === "unsigned-integer") return /^\d+$/.test(text) ? Number(text) : text;
  if (kind === "list") return text.split(",").map((item) => item.trim());
  return text;
}
