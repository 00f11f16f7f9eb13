import type { CommittedRecord } from "@tooling/kafka";
import type { Flight } from "../flight.ts";

/**
 * - `row`: what a route's next row says, when it is from, or which flight it is of; or there is one too few or too many
 * - `store`, `changelog`: the totals of a route there
 */
export type TotalsDifferenceKind = "row" | "store" | "changelog";

export interface TotalsDifference {
  readonly kind: TotalsDifferenceKind;
  readonly route: string;
  /** What was found, and what was to be found. */
  readonly place: string;
}

/** A row, and where it was read; an expected one was read nowhere. */
interface Row {
  readonly text: string;
  readonly place: string;
}

interface Route {
  flights: number;
  totalDelay: number;
  worstDelay: number;
  readonly expected: string[];
  readonly rows: Row[];
}

/**
 * Counts the committed flights per route again, plainly, and holds rows, store and changelog of route-totals against
 * that. None of its code takes part.
 */
export class TotalsComparison {
  readonly #flightsTopic: string;
  readonly #rowsTopic: string;
  readonly #routes = new Map<string, Route>();
  readonly #changelog = new Map<string, string>();
  #rows = 0;

  constructor(flightsTopic: string, rowsTopic: string) {
    this.#flightsTopic = flightsTopic;
    this.#rowsTopic = rowsTopic;
  }

  /** Rows read so far. */
  get rows(): number {
    return this.#rows;
  }

  get routes(): number {
    return [...this.#routes.values()].filter(({ flights }) => flights > 0).length;
  }

  /** Takes the next flight; those of one partition in their order. */
  addFlight({ partition, offset, timestamp, value }: CommittedRecord): void {
    const flight = JSON.parse(String(value)) as Flight | null;
    if (!flight?.origin || !flight.destination || typeof flight.delay !== "number") return;
    const name = `${flight.origin}-${flight.destination}`;
    const route = this.#routeOf(name);
    route.flights += 1;
    route.totalDelay += flight.delay;
    route.worstDelay = Math.max(route.worstDelay, flight.delay);
    const { flights, totalDelay, worstDelay } = route;
    const row = { route: name, flights, totalDelay, meanDelay: totalDelay / flights, worstDelay };
    route.expected.push(rowText(JSON.stringify(row), timestamp, `${this.#flightsTopic}-${partition}@${offset}`));
  }

  /** Takes the next row; those of one partition in their order. */
  addRow({ partition, offset, timestamp, key, value, headers }: CommittedRecord): void {
    this.#rows += 1;
    const text = rowText(String(value), timestamp, String(headers["eos-source"]));
    this.#routeOf(String(key)).rows.push({ text, place: `${this.#rowsTopic}-${partition}@${offset}` });
  }

  /** Takes the next record of the changelog; those of one partition in their order. */
  addChange({ key, value }: CommittedRecord): void {
    if (value === null) this.#changelog.delete(String(key));
    else this.#changelog.set(String(key), String(value));
  }

  /** All that is wrong, once everything has been added. */
  differences(store: ReadonlyMap<string, string>): TotalsDifference[] {
    const totals = new Map<string, string>();
    for (const [name, { flights, totalDelay, worstDelay }] of this.#routes) {
      if (flights > 0) totals.set(name, JSON.stringify({ flights, totalDelay, worstDelay }));
    }
    return [
      ...[...this.#routes].flatMap(([route, found]) => rowDifference(route, found) ?? []),
      ...mapDifferences("store", store, totals),
      ...mapDifferences("changelog", this.#changelog, totals),
    ];
  }

  #routeOf(name: string): Route {
    let route = this.#routes.get(name);
    if (route === undefined) {
      route = { flights: 0, totalDelay: 0, worstDelay: Number.NEGATIVE_INFINITY, expected: [], rows: [] };
      this.#routes.set(name, route);
    }
    return route;
  }
}

/** The first row of a route that is wrong: those after it follow from it. */
function rowDifference(route: string, { expected, rows }: Route): TotalsDifference | null {
  const length = Math.max(expected.length, rows.length);
  for (let index = 0; index < length; index++) {
    const row = rows[index];
    if (row?.text === expected[index]) continue;
    const found = row === undefined ? "no row" : `${row.place} ${row.text}`;
    return { kind: "row", route, place: `row ${index + 1}: ${found}, but it is ${expected[index] ?? "one too many"}` };
  }
  return null;
}

function mapDifferences(
  kind: TotalsDifferenceKind,
  found: ReadonlyMap<string, string>,
  expected: ReadonlyMap<string, string>,
): TotalsDifference[] {
  const routes = new Set([...found.keys(), ...expected.keys()]);
  return [...routes].flatMap((route) => {
    const [has, should] = [found.get(route), expected.get(route)];
    return has === should ? [] : [{ kind, route, place: `${has ?? "nothing"}, but it is ${should ?? "nothing"}` }];
  });
}

function rowText(value: string, timestamp: number, source: string): string {
  return `${value} at ${timestamp} of ${source}`;
}
