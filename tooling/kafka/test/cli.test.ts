import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { afterEach, beforeEach, expect, test } from "vitest";
import { liveBrokers } from "../src/broker-probe.ts";

const ROOT = join(import.meta.dirname, "..", "..", "..");
const CLI = join(import.meta.dirname, "..", "src", "cli.ts");

let temporary: string;

beforeEach(async () => {
  temporary = await mkdtemp(join(tmpdir(), "eos-kafka-test-"));
});

afterEach(async () => {
  await rm(temporary, { recursive: true });
});

interface Cli {
  readonly child: ChildProcess;
  nextOutput(): Promise<string>;
  nextAnswer(line: string): Promise<string>;
}

function cli(...args: string[]): Cli {
  const child = spawn(process.execPath, ["--conditions=@eos/source", "--import", "tsx", CLI, ...args], {
    cwd: ROOT,
    env: { ...process.env, TMPDIR: temporary },
  });
  const output = lines(child.stdout);
  const answers = lines(child.stderr);
  return {
    child,
    nextOutput: output,
    nextAnswer: (line) => {
      child.stdin.write(`${line}\n`);
      return answers();
    },
  };
}

function lines(stream: Readable): () => Promise<string> {
  const iterator = createInterface({ input: stream })[Symbol.asyncIterator]();
  return async () => ((await iterator.next()).value ?? "<end>") as string;
}

async function run(...args: string[]): Promise<{ exitCode: number | null; stdout: string; stderr: string }> {
  const { child } = cli(...args);
  let [stdout, stderr] = ["", ""];
  child.stdout?.on("data", (chunk) => (stdout += String(chunk)));
  child.stderr?.on("data", (chunk) => (stderr += String(chunk)));
  const [exitCode] = (await once(child, "close")) as [number | null];
  return { exitCode, stdout, stderr };
}

/** What the launcher has in the temporary folder; tsx keeps its cache there, too. */
async function clusterFolders(): Promise<string[]> {
  return (await readdir(temporary)).filter((name) => !name.startsWith("tsx-"));
}

async function pidFiles(): Promise<number[]> {
  const [folder] = await clusterFolders();
  const text = await readFile(join(temporary, folder ?? "", "node-1", "pid"), "utf8").catch(() => "");
  return text === "" ? [] : [Number(text)];
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

async function expectNothingLeft(pid: number): Promise<void> {
  await expect.poll(() => isAlive(pid), { timeout: 10_000 }).toBe(false);
  await expect.poll(clusterFolders, { timeout: 10_000 }).toEqual([]);
}

test("--help says what there is and exits with 0.", async () => {
  const { exitCode, stdout, stderr } = await run("--help");
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
  expect(stdout).toMatch(/--nodes[^]*--port[^]*kill <id>/);
});

test.each([
  [["--node", "3"], /'--node'/],
  [["--nodes", "2"], /--nodes must be 1 or 3, got 2/],
  [["--port", "http"], /--port must be a port number, got http/],
  [["three"], /three/],
])("%j is refused with exit code 2.", async (args, message) => {
  const { exitCode, stdout, stderr } = await run(...args);
  expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: "" });
  expect(stderr).toMatch(message);
});

test("It prints the bootstrap servers, acts on nodes by lines of stdin, and leaves nothing on SIGTERM.", async () => {
  const { child, nextOutput, nextAnswer } = cli();
  const bootstrapServers = await nextOutput();
  expect(bootstrapServers).toMatch(/^127\.0\.0\.1:\d+$/);
  const [pid] = (await pidFiles()) as [number];

  expect(await nextAnswer("kill 1")).toBe("ok kill 1");
  expect(isAlive(pid)).toBe(false);
  await expect(liveBrokers(bootstrapServers, 1_000)).rejects.toThrow();
  expect(await nextAnswer("start 1")).toBe("ok start 1");
  await expect(liveBrokers(bootstrapServers, 2_000)).resolves.toEqual([1]);
  expect(await nextAnswer("stop 2")).toBe("stop needs a node: 1");
  expect(await nextAnswer("burn 1")).toBe("unknown command burn; help lists them");

  const [restarted] = (await pidFiles()) as [number];
  child.kill("SIGTERM");
  expect(await once(child, "exit")).toEqual([0, null]);
  expect(await nextOutput()).toBe("<end>");
  expect(isAlive(restarted)).toBe(false);
  await expectNothingLeft(restarted);
});

test("When it is killed itself, a broker that is up goes with it, even one that is paused.", async () => {
  const { child, nextOutput, nextAnswer } = cli();
  await nextOutput();
  const [pid] = (await pidFiles()) as [number];
  expect(await nextAnswer("pause 1")).toBe("ok pause 1");
  expect(isAlive(pid)).toBe(true);
  child.kill("SIGKILL");
  await expectNothingLeft(pid);
});

test("When it is killed while a broker starts, that broker goes, too.", async () => {
  const { child } = cli();
  await expect.poll(pidFiles, { timeout: 20_000, interval: 5 }).toHaveLength(1);
  const [pid] = (await pidFiles()) as [number];
  child.kill("SIGKILL");
  await expectNothingLeft(pid);
});
