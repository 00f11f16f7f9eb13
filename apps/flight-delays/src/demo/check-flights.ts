import type { CommittedRecord } from "@tooling/kafka";
import { readAirports } from "../airports.ts";
import { checkAsStranger, type Findings } from "./check-as-stranger.ts";
import type { Scene } from "./scene.ts";
import { count } from "./screen.ts";
import type { OutputPosition } from "./topics-view.ts";
import { describeDifferences } from "./verdict.ts";

/** @param onRecord - takes each enriched flight, those of one partition in their order */
export async function checkFlights(
  { screen, stage, cleanUp, signal, rows }: Scene,
  uncommitted: readonly OutputPosition[],
  onRecord: (record: CommittedRecord) => void,
): Promise<Findings> {
  const { enrichment, bootstrapServers } = stage;
  const checked = screen.phase("Check", `Kafka's console consumer reads ${enrichment.output}, read-committed`);
  const airports = await readAirports();
  const reading = { cleanUp, signal, bootstrapServers };
  const findings = await checkAsStranger({
    ...reading,
    screen,
    topics: enrichment,
    rows,
    airports,
    uncommitted,
    onRecord,
  });
  const { records, differences } = findings;
  for (const line of describeDifferences(differences)) screen.note(line);
  if (differences.length > 0) {
    checked(`${count(records, "records")}, ${count(differences.length, "differences")} from the file`);
  } else {
    const aborted = uncommitted.reduce((sum, { stable, end }) => sum + end - stable, 0);
    checked(`${count(records, "records")}: each row of the file once, in order, and enriched as it must be`);
    screen.note(`the ${count(aborted, "records")} of the killed transaction are not among them`);
  }
  return findings;
}
