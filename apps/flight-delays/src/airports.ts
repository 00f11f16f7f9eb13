import { readFile } from "node:fs/promises";
import { dataFile } from "./data-file.ts";

export interface Airport {
  readonly name: string;
  readonly city: string;
  /** Two letters; of a territory outside the states, its own. */
  readonly state: string;
  readonly latitude: number;
  readonly longitude: number;
}

/** Airports by their IATA code. */
export type AirportTable = ReadonlyMap<string, Airport>;

/** Reads the airport table of `vega-datasets`: 3,376 airports of the United States. */
export async function readAirports(): Promise<AirportTable> {
  return parseAirports(await readFile(dataFile("airports.csv"), "utf8"));
}

/** @param csv - with the header line `iata,name,city,state,country,latitude,longitude` */
export function parseAirports(csv: string): AirportTable {
  const airports = new Map<string, Airport>();
  for (const line of csv.split(/\r?\n/).slice(1)) {
    const [iata, name, city, state, , latitude, longitude] = splitCsvLine(line);
    if (iata === undefined || name === undefined || city === undefined || state === undefined) continue;
    airports.set(iata, { name, city, state, latitude: Number(latitude), longitude: Number(longitude) });
  }
  return airports;
}

/** RFC 4180 without line breaks inside fields, which this table does not have. */
function splitCsvLine(line: string): string[] {
  const fields = line.match(/("([^"]|"")*"|[^,]*)(,|$)/g) ?? [];
  // The pattern also matches the nothing behind the last field.
  return fields.slice(0, -1).map((field) => {
    const text = field.endsWith(",") ? field.slice(0, -1) : field;
    return text.startsWith('"') ? text.slice(1, -1).replaceAll('""', '"') : text;
  });
}
