import type { Interface } from "node:readline";
import type { KafkaNode } from "./broker-process.ts";
import { isKafkaCluster, type KafkaConnection } from "./kafka-cluster.ts";

const COMMANDS: { readonly [command: string]: (node: KafkaNode) => Promise<void> | void } = {
  start: (node) => node.start(),
  stop: (node) => node.stop(),
  kill: (node) => node.kill(),
  pause: (node) => node.pause(),
  resume: (node) => node.resume(),
  restart: (node) => node.restart(),
};

const HELP = `  start <id>    start it again, with its data and port
  stop <id>     shut it down cleanly (SIGTERM)
  kill <id>     kill it (SIGKILL)
  pause <id>    freeze it (SIGSTOP)
  resume <id>   let it go on (SIGCONT)
  restart <id>  stop, then start
  help          this list`;

/**
 * Does what the lines say, one after the other; each is answered by `ok <line>` when it is done, or by what was wrong.
 */
function follow(lines: Interface, kafka: KafkaConnection, answer: (line: string) => void): void {
  let previous = Promise.resolve();
  lines.on("line", (line) => {
    previous = previous.then(async () => {
      const text = line.trim();
      if (text === "") return;
      if (text === "help") return answer(HELP);
      try {
        await execute(text, kafka);
        answer(`ok ${text}`);
      } catch (error) {
        answer(error instanceof Error ? error.message : String(error));
      }
    });
  });
}

async function execute(text: string, kafka: KafkaConnection): Promise<void> {
  const [command = "", id, ...rest] = text.split(/\s+/);
  const action = Object.hasOwn(COMMANDS, command) ? COMMANDS[command] : undefined;
  if (action === undefined) throw new Error(`unknown command ${command}; help lists them`);
  if (!isKafkaCluster(kafka)) throw new Error("the nodes of a cluster in Docker cannot be handled from here");
  const node = kafka.nodes.find((candidate) => String(candidate.id) === id);
  if (node === undefined || rest.length > 0) {
    throw new Error(`${command} needs a node: ${kafka.nodes.map((candidate) => candidate.id).join(", ")}`);
  }
  await action(node);
}

/** Commands on single nodes, as lines of text. */
export const nodeCommands = { help: HELP, follow };
