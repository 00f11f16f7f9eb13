import type { Findings } from "./check-as-stranger.ts";
import type { TotalsFindings } from "./check-totals.ts";
import type { Difference, DifferenceKind } from "./comparison.ts";
import type { TotalsDifference, TotalsDifferenceKind } from "./totals-comparison.ts";

const OTHER_KINDS: readonly DifferenceKind[] = ["changed", "reordered", "uncommitted", "unknown"];
const DIFFERENCES_SHOWN = 20;

/** The line about the flights. */
export function verdict(rows: number, { records, differences }: Findings): string {
  const number = (kind: DifferenceKind): string =>
    `${kind}=${differences.filter((difference) => difference.kind === kind).length}`;
  const counts = [`in=${rows}`, `out=${records}`, number("lost"), number("duplicated")];
  return differences.length === 0
    ? `EXACTLY-ONCE OK ${counts.join(" ")}`
    : `EXACTLY-ONCE VIOLATED ${[...counts, ...OTHER_KINDS.map(number)].join(" ")}`;
}

/** The line about the state. */
export function stateVerdict({ routes, rows, differences }: TotalsFindings): string {
  const number = (kind: TotalsDifferenceKind): number => differences.filter((each) => each.kind === kind).length;
  const counts = `routes=${routes} rows=${rows}`;
  return differences.length === 0
    ? `STATE OK ${counts} store=changelog=recomputed`
    : `STATE VIOLATED ${counts} wrong-routes=${number("row")} wrong-in-store=${number("store")} wrong-in-changelog=${number("changelog")}`;
}

/** A line for each difference, with its offsets; of very many only the first. */
export function describeDifferences(differences: readonly Difference[]): string[] {
  return firstOf(
    differences,
    ({ kind, row, place }) => `${kind}: ${place}${row < 0 ? "" : ` (row ${row} of the file)`}`,
  );
}

/** The same, of the totals. */
export function describeTotalsDifferences(differences: readonly TotalsDifference[]): string[] {
  return firstOf(differences, ({ kind, route, place }) => `${kind} of ${route}: ${place}`);
}

function firstOf<T>(differences: readonly T[], describe: (difference: T) => string): string[] {
  const lines = differences.slice(0, DIFFERENCES_SHOWN).map(describe);
  const more = differences.length - lines.length;
  return more === 0 ? lines : [...lines, `… and ${more} more`];
}
