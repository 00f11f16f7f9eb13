import { randomInt } from "node:crypto";
import { createServer } from "node:net";
import { BrokerError } from "./errors.ts";

// Below every system's ephemeral range (Linux begins at 32768, macOS at 49152). In it, a client that redials a node
// that is down could get that very port as its own and so keep the node from coming back, or even connect to itself.
const LOWEST_PORT = 15_000;
const HIGHEST_PORT = 32_000;

/** `count` different ports that nobody listens on. */
export async function freePorts(count: number): Promise<number[]> {
  const ports = new Set<number>();
  while (ports.size < count) {
    const port = randomInt(LOWEST_PORT, HIGHEST_PORT);
    if (!ports.has(port) && (await isFree(port))) ports.add(port);
  }
  return [...ports];
}

/** @throws BrokerError `EOS_PORT_IN_USE` when somebody listens on one of the ports. */
export async function assertFree(ports: readonly number[]): Promise<void> {
  for (const port of ports) if (!(await isFree(port))) throw portInUse(port);
}

/** The error for a port that somebody else listens on. */
export function portInUse(port: number, cause?: unknown): BrokerError {
  return new BrokerError(`Port ${port} is in use.`, {
    code: "EOS_PORT_IN_USE",
    hint: `End what listens there (\`lsof -i :${port}\` names it), or leave the port out to have a free one chosen.`,
    cause,
  });
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen({ host: "127.0.0.1", port, exclusive: true }, () => server.close(() => resolve(true)));
  });
}
