import { randomBytes } from "node:crypto";
import type { Bench } from "./job.ts";
import type { Rival } from "./rival.ts";
import { RunningProgram } from "./running-program.ts";
import { createStateFolder, removeStateFolder } from "./state-folders.ts";

/** A rival that copies `input` to a new topic under a new group; disposing of it removes all traces. */
export class CopyRun implements AsyncDisposable {
  readonly program: RunningProgram;
  readonly group: string;
  readonly output: string;
  readonly #bench: Bench;
  readonly #stateDirectory: string;

  private constructor(bench: Bench, program: RunningProgram, group: string, output: string, stateDirectory: string) {
    this.#bench = bench;
    this.program = program;
    this.group = group;
    this.output = output;
    this.#stateDirectory = stateDirectory;
  }

  static async start(bench: Bench, rival: Rival, input: string, label: string): Promise<CopyRun> {
    const { partitions, serde, commitIntervalMs } = bench.settings;
    const { bootstrapServers } = bench.broker;
    const output = await bench.broker.createTopic(`${rival.name}-output`, partitions);
    const stateDirectory = await createStateFolder();
    const group = `${rival.name}-${randomBytes(4).toString("hex")}`;
    const program = rival.copy?.({
      bootstrapServers,
      group,
      input,
      output,
      partitions,
      serde,
      commitIntervalMs,
      stateDirectory,
    });
    if (program === undefined) throw new Error(`${rival.name} does not copy ${serde} records`);
    const running = new RunningProgram(rival.name, program, bench.logFile(`${rival.name}-${label}`));
    return new CopyRun(bench, running, group, output, stateDirectory);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.program.kill();
    await removeStateFolder(this.#stateDirectory);
    await this.#bench.broker.deleteTopic(this.output);
  }
}

/** Whether the rival copies records of the given kind at all. */
export function copies(rival: Rival, serde: "string" | "json"): boolean {
  const nowhere = { bootstrapServers: "", group: "", input: "", output: "", stateDirectory: "" };
  return rival.copy?.({ ...nowhere, partitions: 1, serde, commitIntervalMs: 100 }) !== undefined;
}
