import type { Bench, Figures, Job } from "./job.ts";
import type { Rival } from "./rival.ts";

/** The figures of all rounds of one job. */
export interface Measurement {
  /** Of each rival, its figures round by round. */
  readonly rounds: ReadonlyMap<string, readonly Figures[]>;
  readonly notes: readonly string[];
}

/**
 * Warms every rival up once, then lets them alternate: each round measures all, beginning with another one each time, so
 * that a slow minute of the machine meets all of them and ratios within a round mean something.
 */
export async function measure(job: Job, rivals: readonly Rival[], rounds: number, bench: Bench): Promise<Measurement> {
  const session = await job.setUp(bench);
  const measured = new Map<string, Figures[]>(rivals.map(({ name }) => [name, []]));
  for (const rival of rivals) {
    progress(`warm-up: ${rival.name}`);
    await session.warmUp(rival);
  }
  for (let round = 1; round <= rounds; round++) {
    for (let turn = 0; turn < rivals.length; turn++) {
      const rival = rivals[(round - 1 + turn) % rivals.length] as Rival;
      const figures = await session.measure(rival, round);
      measured.get(rival.name)?.push(figures);
      const [main] = job.columns;
      progress(
        `round ${round} of ${rounds}: ${rival.name} ${main?.title} ${figures[main?.figure ?? ""]?.toFixed(main?.digits)}`,
      );
    }
  }
  return { rounds: measured, notes: session.notes };
}

function progress(line: string): void {
  process.stderr.write(`${line}\n`);
}
