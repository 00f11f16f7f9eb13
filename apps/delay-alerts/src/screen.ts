import type { LagState } from "@eos/consumer-groups";
import type { GroupView, LagView, PartitionView } from "./group-view.ts";

/** What a line says, for its colour. */
export type Tone = "plain" | "strong" | "faint" | "good" | "warning" | "bad";

export interface ScreenLine {
  readonly text: string;
  readonly tone: Tone;
}

export interface ScreenSize {
  readonly columns: number;
  readonly rows: number;
}

const LAG_TONES: { readonly [state in LagState]: Tone } = {
  OK: "good",
  WARN: "warning",
  STOP: "bad",
  STALL: "bad",
  REWIND: "warning",
};

/** Lines of the screen that are no partition, and the one below it in which the cursor stands. */
const OTHER_LINES = 8;
/** A lag older than this is told to be old. */
const OLD_LAG_MS = 3_000;
const HEADS = ["state", "records", "seconds", "rate/s", "member"] as const;
const CELL_WIDTH = 9;
const NOTHING = "–";

/** The screen as lines, none longer and not more of them than the terminal shows. */
export function renderScreen(view: GroupView, { columns, rows }: ScreenSize): ScreenLine[] {
  const { groupId, input, output, processId, state, lag, lagProblem } = view;
  const room = rows - OTHER_LINES - (lagProblem === null ? 0 : 1);
  const lines: ScreenLine[] = [
    line("strong", `delay-alerts  ${state}  ${input} → ${output}  group ${groupId}  pid ${processId}`),
    line("plain", totals(view)),
    line("plain", ""),
    ...(lag === null ? [line("faint", "the lag has not been measured yet")] : renderLag(lag, input, room)),
  ];
  if (lagProblem !== null) lines.push(line("warning", `the lag cannot be measured: ${lagProblem}`));
  if (isScalable(view)) lines.push(line("plain", ""), line("faint", "+ one member more   - one less   q quit"));
  return lines.slice(0, rows - 1).map(({ text, tone }) => ({ tone, text: fit(text, columns) }));
}

/** The same as one line, for a log. */
export function renderLogLine({ lag, lagProblem, ...view }: GroupView): string {
  const line = `${view.state}: ${totals(view)}`;
  if (lag === null) return `${line}; lag ${lagProblem === null ? "not measured yet" : `unknown: ${lagProblem}`}`;
  const sum = `${lag.state}, ${plural(lag.records, "record")}, ${seconds(lag.seconds)} s${age(lag)}`;
  const partitions = lag.partitions.map(
    ({ partition, state, records }) => `${partition}: ${integer(records)}${state === "OK" ? "" : ` ${state}`}`,
  );
  return `${line}; lag ${sum} (${partitions.join("; ")})`;
}

function isScalable({ state }: GroupView): boolean {
  return state === "REBALANCING" || state === "RUNNING";
}

type Totals = Pick<GroupView, "members" | "flightsPerSecond" | "flights" | "alerts" | "skipped" | "failed">;

function totals({ members, flightsPerSecond, flights, alerts, skipped, failed }: Totals): string {
  return [
    plural(members, "member"),
    `${rate(flightsPerSecond)} flights/s`,
    plural(flights, "flight"),
    plural(alerts, "alert"),
    `${integer(skipped)} skipped`,
    plural(failed, "failed attempt"),
  ].join(", ");
}

function renderLag(lag: LagView, topic: string, room: number): ScreenLine[] {
  const shown = mostBehind(lag.partitions, room);
  const hidden = lag.partitions.length - shown.length;
  const names = new Map(shown.map((of) => [of, `${topic}-${of.partition}`]));
  const width = Math.max("partition".length, ...[...names.values()].map((name) => name.length));
  const total: readonly string[] = [lag.state, integer(lag.records), seconds(lag.seconds), rate(sumOfRates(lag)), ""];
  return [
    line("faint", row("partition", HEADS, width)),
    ...shown.map((of) => line(LAG_TONES[of.state], row(names.get(of) ?? "", cells(of), width))),
    ...(hidden === 0 ? [] : [line("faint", `… and ${integer(hidden)} less behind`)]),
    line("strong", row(`all${age(lag)}`, total, width)),
  ];
}

function cells({ state, records, seconds: of, perSecond, member }: PartitionView): readonly string[] {
  return [state, integer(records), seconds(of), rate(perSecond), member === null ? NOTHING : String(member)];
}

/** In their order; when there is not room for all, those with the largest lag. */
function mostBehind(partitions: readonly PartitionView[], room: number): readonly PartitionView[] {
  if (partitions.length <= room) return partitions;
  // One line says how many are left out.
  const chosen = new Set([...partitions].sort((a, b) => b.records - a.records).slice(0, Math.max(1, room - 1)));
  return partitions.filter((of) => chosen.has(of));
}

function sumOfRates({ partitions }: LagView): number | null {
  const known = partitions.flatMap(({ perSecond }) => (perSecond === null ? [] : [perSecond]));
  return known.length === 0 ? null : known.reduce((sum, of) => sum + of, 0);
}

function row(name: string, values: readonly string[], width: number): string {
  return `${name.padEnd(width)}${values.map((value) => ` ${value.padStart(CELL_WIDTH)}`).join("")}`.trimEnd();
}

function line(tone: Tone, text: string): ScreenLine {
  return { tone, text };
}

/** A line that the terminal wraps would shift everything below it. */
function fit(text: string, columns: number): string {
  return text.length <= columns ? text : `${text.slice(0, Math.max(0, columns - 1))}…`;
}

function age({ ageMs }: LagView): string {
  return ageMs < OLD_LAG_MS ? "" : ` (${Math.round(ageMs / 1_000)} s ago)`;
}

function seconds(of: number | null): string {
  return of === null ? NOTHING : of.toFixed(1);
}

function rate(perSecond: number | null): string {
  return perSecond === null ? NOTHING : integer(Math.round(perSecond));
}

function integer(of: number): string {
  return of.toLocaleString("en-US");
}

function plural(of: number, what: string): string {
  return `${integer(of)} ${what}${of === 1 ? "" : "s"}`;
}
