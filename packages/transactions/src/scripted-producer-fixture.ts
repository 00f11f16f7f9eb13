import { type CommitSummary, type GroupOffsets, ProducerFencedError, type ProducerState } from "@eos/client";

const SUMMARY: CommitSummary = { records: 1, durationMs: 1, openMs: 1 };

export interface Answers {
  readonly commit?: (Error | Promise<void> | null)[];
  readonly init?: (Error | null)[];
  readonly abort?: (Error | null)[];
}

/** Does what it is told, one answer a call; without one it succeeds. A promise is waited for before it does. */
export class ScriptedProducer {
  readonly transactionalId = "t";
  readonly calls: string[] = [];
  state: ProducerState = "ready";
  readonly #answers: Answers;

  constructor(answers: Answers) {
    this.#answers = answers;
  }

  get canAbort(): boolean {
    return this.state === "ready" || this.state === "in-transaction" || this.state === "abortable-error";
  }

  async commit(groups: readonly GroupOffsets[]): Promise<CommitSummary> {
    const offsets = groups.flatMap(({ offsets }) => offsets.toTopics()).flatMap(({ partitions }) => partitions);
    this.calls.push(`commit ${offsets.map(({ offset }) => offset).join()}`);
    const answer = this.#answers.commit?.shift() ?? null;
    if (answer instanceof Error) {
      this.state = answer instanceof ProducerFencedError ? "fenced" : "abortable-error";
      throw answer;
    }
    await answer;
    this.state = "ready";
    return SUMMARY;
  }

  async init(): Promise<void> {
    this.calls.push("init");
    const error = this.#answers.init?.shift() ?? null;
    if (error !== null) throw error;
    this.state = "ready";
  }

  async abort(): Promise<void> {
    this.calls.push("abort");
    const error = this.#answers.abort?.shift() ?? null;
    if (error !== null) throw error;
    this.state = "ready";
  }

  /** Every topic has one partition. */
  async topic(name: string): Promise<{ readonly name: string; readonly partitions: readonly object[] }> {
    return { name, partitions: [{ topic: name, partition: 0, endOffset: 42 }] };
  }

  append(
    { topic, partition }: { readonly topic: string; readonly partition: number },
    timestamp: number,
    key: Buffer,
    keyStart: number,
    keyEnd: number,
    value: string | null,
    headers: Buffer | null,
    headersStart: number,
    headersEnd: number,
  ): void {
    const section = headers === null ? "none" : headers.toString("latin1", headersStart, headersEnd);
    const record = `${key.toString("utf8", keyStart, keyEnd)}=${String(value)} at ${timestamp}`;
    this.calls.push(`append ${topic}-${partition} ${record}, headers ${JSON.stringify(section)}`);
  }

  checkRecordSize(bytes: number): void {
    this.calls.push(`check ${bytes} bytes`);
  }

  close(): void {}
}
