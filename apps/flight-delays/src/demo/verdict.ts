import type { Findings } from "./check-as-stranger.ts";
import type { Difference, DifferenceKind } from "./comparison.ts";

const OTHER_KINDS: readonly DifferenceKind[] = ["changed", "reordered", "uncommitted", "unknown"];
const DIFFERENCES_SHOWN = 20;

/** The demo's last line. */
export function verdict(rows: number, { records, differences }: Findings): string {
  const number = (kind: DifferenceKind): string =>
    `${kind}=${differences.filter((difference) => difference.kind === kind).length}`;
  const counts = [`in=${rows}`, `out=${records}`, number("lost"), number("duplicated")];
  return differences.length === 0
    ? `EXACTLY-ONCE OK ${counts.join(" ")}`
    : `EXACTLY-ONCE VIOLATED ${[...counts, ...OTHER_KINDS.map(number)].join(" ")}`;
}

/** A line for each difference, with its offsets; of very many only the first. */
export function describeDifferences(differences: readonly Difference[]): string[] {
  const lines = differences
    .slice(0, DIFFERENCES_SHOWN)
    .map(({ kind, row, place }) => `${kind}: ${place}${row < 0 ? "" : ` (row ${row} of the file)`}`);
  const more = differences.length - lines.length;
  return more === 0 ? lines : [...lines, `… and ${more} more`];
}
