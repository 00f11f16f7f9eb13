import { readAsStranger } from "./check-as-stranger.ts";
import type { Scene } from "./scene.ts";
import { count } from "./screen.ts";
import type { TotalsComparison, TotalsDifference } from "./totals-comparison.ts";
import { readTotalsOnDisk } from "./totals-on-disk.ts";
import { describeTotalsDifferences } from "./verdict.ts";

/** What was found of the totals. */
export interface TotalsFindings {
  readonly routes: number;
  readonly rows: number;
  readonly differences: readonly TotalsDifference[];
}

/**
 * Holds every row that route-totals wrote, its store on the disk, and its changelog against a plain recomputation.
 *
 * @param comparison - has all enriched flights
 */
export async function checkTotals(
  { screen, stage, cleanUp, signal }: Scene,
  comparison: TotalsComparison,
): Promise<TotalsFindings> {
  const { bootstrapServers, totals } = stage;
  const { output, changelog } = totals;
  const checked = screen.phase("State", "rows, changelog and LevelDB against a plain recomputation");
  const reading = { cleanUp, signal, bootstrapServers };
  const [stored] = await Promise.all([
    readTotalsOnDisk(stage),
    readAsStranger(reading, output, (record) => comparison.addRow(record)),
    readAsStranger(reading, changelog, (record) => comparison.addChange(record)),
  ]);
  const differences = comparison.differences(stored.totals);
  const { rows, routes } = comparison;
  for (const line of describeTotalsDifferences(differences)) screen.note(line);
  checked(
    differences.length > 0
      ? `${count(rows, "rows")}, ${count(differences.length, "differences")} from the recomputation`
      : `${count(rows, "rows")}: all routes count 1, 2, 3, …, all sums right`,
  );
  screen.note(
    `${count(stored.totals.size, "routes")} in LevelDB, ${count(stored.replayed, "records")} replayed to open it`,
  );
  return { routes, rows, differences };
}
