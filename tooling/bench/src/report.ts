import type { Column, Figures } from "./job.ts";
import type { Measurement } from "./measure.ts";

/** The middle value; of an even number the mean of the middle two. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const upper = sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
  const lower = sorted[Math.floor((sorted.length - 1) / 2)] ?? Number.NaN;
  return (lower + upper) / 2;
}

/** The table of medians, each with its range, and the ratios of the first rival to every other, taken round by round. */
export function renderReport(title: string, columns: readonly Column[], measurement: Measurement): string {
  const { rounds, notes } = measurement;
  const header = ["", ...columns.map((column) => column.title)];
  const rows = [...rounds].map(([name, figures]) => [
    name,
    ...columns.map((column) => medianAndRange(figures, column)),
  ]);
  return [`## ${title}`, "", markdownTable([header, ...rows]), "", ...notes, ...ratios(columns, rounds), ""].join("\n");
}

function medianAndRange(rounds: readonly Figures[], { figure, digits }: Column): string {
  const values = rounds.map((figures) => figures[figure] ?? Number.NaN);
  const middle = format(median(values), digits);
  if (values.length === 1) return middle;
  return `${middle} (${format(Math.min(...values), digits)}–${format(Math.max(...values), digits)})`;
}

function ratios(columns: readonly Column[], rounds: ReadonlyMap<string, readonly Figures[]>): string[] {
  const [column] = columns;
  const [subject, ...others] = rounds;
  if (column === undefined || subject === undefined || others.length === 0) return [];
  const [name, own] = subject;
  const lines = others.map(([other, figures]) => {
    const each = own.map(
      (round, index) => (round[column.figure] ?? Number.NaN) / (figures[index]?.[column.figure] ?? Number.NaN),
    );
    return `- ${name} ÷ ${other}: ${median(each).toFixed(2)} (${each.map((ratio) => ratio.toFixed(2)).join(", ")})`;
  });
  return ["", `Ratios of ${column.title} within each round, median (each):`, "", ...lines];
}

function format(value: number, digits: number): string {
  return value.toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

function markdownTable(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(3, ...rows.map((row) => row[column]?.length ?? 0)));
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, column) => (column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0))).join(" | ")} |`;
  const rule = widths.map((width, column) => (column === 0 ? "-".repeat(width) : `${"-".repeat(width - 1)}:`));
  const [header, ...body] = rows;
  return [line(header ?? []), line(rule), ...body.map(line)].join("\n");
}
