import type { ChildProcess } from "node:child_process";
import { open, readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { liveBrokers } from "./broker-probe.ts";
import { BrokerError } from "./errors.ts";
import { spawnGuarded } from "./guarded-process.ts";
import { assertFree, portInUse } from "./ports.ts";

const READY_WITHIN_MS = 90_000;
const STOP_WITHIN_MS = 30_000;
const PROBE_INTERVAL_MS = 50;
const PROBE_TIMEOUT_MS = 2_000;
const LOG_LINES_SHOWN = 25;

/** One broker (and controller) of a cluster. Data and port stay the same over `stop`/`kill` and `start`. */
export interface KafkaNode {
  readonly id: number;
  readonly port: number;
  /** The process id of its JVM; undefined while it is down. */
  readonly pid: number | undefined;
  /** The file that everything it logs is appended to. */
  readonly logFile: string;
  /**
   * Starts it and waits until it answers and the cluster counts it in; only waits when it is up.
   * @throws BrokerError `EOS_PORT_IN_USE`, `EOS_BROKER_START_FAILED`, also when it is ended meanwhile
   */
  start(): Promise<void>;
  /** SIGTERM: a clean shutdown that hands leadership over. After 30 s without an end it is killed. */
  stop(): Promise<void>;
  /** SIGKILL: what it had not written to the page cache is lost. */
  kill(): Promise<void>;
  /** SIGSTOP: it keeps its connections but answers nothing. */
  pause(): void;
  /** SIGCONT after `pause`. */
  resume(): void;
  /** `stop`, then `start`. */
  restart(): Promise<void>;
}

/** What a broker process is started with. */
export interface BrokerCommand {
  readonly java: string;
  readonly javaArguments: readonly string[];
  readonly logFile: string;
  /** Where its process id is kept while it runs, for the watchdog. */
  readonly pidFile: string;
}

/** A {@link KafkaNode} as a child process. */
export class BrokerProcess implements KafkaNode {
  readonly id: number;
  readonly port: number;
  readonly #command: BrokerCommand;
  #child: ChildProcess | undefined;
  #exited: Promise<void> = Promise.resolve();
  #launching: Promise<void> | undefined;

  constructor(id: number, port: number, command: BrokerCommand) {
    this.id = id;
    this.port = port;
    this.#command = command;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  get logFile(): string {
    return this.#command.logFile;
  }

  async start(): Promise<void> {
    await this.launch();
    await this.ready(1);
  }

  async stop(): Promise<void> {
    await this.#launched();
    const child = this.#child;
    if (child === undefined) return;
    child.kill("SIGTERM");
    child.kill("SIGCONT");
    const deadline = setTimeout(() => child.kill("SIGKILL"), STOP_WITHIN_MS);
    await this.#ended();
    clearTimeout(deadline);
  }

  async kill(): Promise<void> {
    await this.#launched();
    this.#child?.kill("SIGKILL");
    await this.#ended();
  }

  pause(): void {
    this.#child?.kill("SIGSTOP");
  }

  resume(): void {
    this.#child?.kill("SIGCONT");
  }

  async restart(): Promise<void> {
    await this.stop();
    await this.start();
  }

  /** Starts the process without waiting for the broker in it. */
  launch(): Promise<void> {
    // Two starts at once must not become two processes, one of which nobody would know.
    this.#launching ??= this.#spawn().finally(() => {
      this.#launching = undefined;
    });
    return this.#launching;
  }

  /**
   * Waits until the broker answers and lists itself and at least `brokerCount` live brokers.
   * @throws BrokerError `EOS_BROKER_START_FAILED`, `EOS_PORT_IN_USE`
   */
  async ready(brokerCount: number): Promise<void> {
    const deadline = Date.now() + READY_WITHIN_MS;
    for (;;) {
      if (this.#child === undefined) throw await this.#startFailure("ended before it was ready");
      const brokers = await liveBrokers(`127.0.0.1:${this.port}`, PROBE_TIMEOUT_MS).catch((): number[] => []);
      if (this.#child !== undefined && brokers.includes(this.id) && brokers.length >= brokerCount) return;
      if (Date.now() > deadline) throw await this.#startFailure(`was not ready within ${READY_WITHIN_MS / 1_000} s`);
      await sleep(PROBE_INTERVAL_MS);
    }
  }

  async #spawn(): Promise<void> {
    if (this.#child !== undefined) return;
    // A stranger that listens there, if it is a broker too, would be taken for this one.
    await assertFree([this.port]);
    const { java, javaArguments, logFile, pidFile } = this.#command;
    const log = await open(logFile, "a");
    try {
      const { child, exited } = spawnGuarded(pidFile, [java, ...javaArguments], ["ignore", log.fd, log.fd]);
      this.#child = child;
      this.#exited = exited.then(() => {
        this.#child = undefined;
      });
    } finally {
      await log.close();
    }
  }

  /** A process that is just being spawned can be ended only after that; whoever asked for it hears of a failure. */
  async #launched(): Promise<void> {
    await this.#launching?.catch(() => {});
  }

  async #ended(): Promise<void> {
    // A running broker does not keep this process alive, but somebody who waits for its end does.
    this.#child?.ref();
    await this.#exited;
  }

  async #startFailure(what: string): Promise<BrokerError> {
    const log = await readFile(this.logFile, "utf8").catch(() => "");
    const lines = log.trimEnd().split("\n").slice(-LOG_LINES_SHOWN);
    const cause = new Error(lines.join("\n"));
    if (this.#child === undefined && /Address already in use|BindException/.test(lines.join("\n"))) {
      return portInUse(this.port, cause);
    }
    return new BrokerError(
      `Kafka node ${this.id} ${what}. The last lines of its log ${this.logFile}:\n${lines.join("\n")}`,
      {
        code: "EOS_BROKER_START_FAILED",
        hint: "An unknown or wrong `config` entry is named above; when memory ran out, raise `heapMegabytes`; pass `logDirectory` to keep the whole log.",
      },
    );
  }
}
