import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import { EosError } from "@eos/core";
import { startAnyKafka } from "./resolve-kafka.ts";
import type { StartKafkaOptions } from "./kafka-cluster.ts";
import { nodeCommands } from "./node-commands.ts";

const HELP = `Starts Apache Kafka, prints its bootstrap servers on stdout, and runs until Ctrl-C or SIGTERM.
Nothing is left behind then: the data is in a temporary folder.

Usage: pnpm kafka [--nodes 1|3] [--port <port>] [--log-directory <folder>]

  --nodes <1|3>             brokers, each a controller too (default 1)
  --port <port>             the first broker's port, the next ones follow (default: free ports)
  --log-directory <folder>  keep the brokers' text logs here
  --help                    this text

While it runs, lines on stdin act on single nodes:
${nodeCommands.help}
`;

async function main(): Promise<number> {
  const options = readOptions(process.argv.slice(2));
  if (options === "help") {
    process.stdout.write(HELP);
    return 0;
  }
  if (typeof options === "string") {
    process.stderr.write(`${options}\nTry \`pnpm kafka --help\`.\n`);
    return 2;
  }
  // Until the signals are handled they end this process, and the watchdog then ends what was started.
  const kafka = await startAnyKafka(options);
  const signalled = new Promise<void>((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, () => resolve());
  });
  // A pending promise keeps no process alive, and stdin may be closed.
  const keepAlive = setInterval(() => {}, 2 ** 30);
  process.stdout.write(`${kafka.bootstrapServers}\n`);
  const input = createInterface({ input: process.stdin });
  nodeCommands.follow(input, kafka, (line) => process.stderr.write(`${line}\n`));
  await signalled;
  input.close();
  clearInterval(keepAlive);
  await kafka.stop();
  return 0;
}

function readOptions(args: string[]): StartKafkaOptions | string {
  try {
    const { values } = parseArgs({
      // pnpm hands a `--` between its own and our arguments on.
      args: args[0] === "--" ? args.slice(1) : args,
      options: {
        nodes: { type: "string", default: "1" },
        port: { type: "string" },
        "log-directory": { type: "string" },
        help: { type: "boolean" },
      },
    });
    if (values.help) return "help";
    const nodes = values.nodes === "1" ? 1 : values.nodes === "3" ? 3 : undefined;
    if (nodes === undefined) return `--nodes must be 1 or 3, got ${values.nodes}`;
    const first = values.port === undefined ? undefined : Number(values.port);
    if (first !== undefined && !(Number.isInteger(first) && first >= 1 && first + nodes <= 65_536)) {
      return `--port must be a port number, got ${values.port}`;
    }
    return {
      nodes,
      ...(first === undefined ? {} : { ports: Array.from({ length: nodes }, (_, index) => first + index) }),
      ...(values["log-directory"] === undefined ? {} : { logDirectory: values["log-directory"] }),
    };
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

main().then(
  (exitCode) => process.exit(exitCode),
  (error: unknown) => {
    const text = error instanceof Error ? error.message : String(error);
    const hint = EosError.is(error) && error.hint !== undefined ? `\n${error.hint}` : "";
    process.stderr.write(`${text}${hint}\n`);
    process.exit(1);
  },
);
