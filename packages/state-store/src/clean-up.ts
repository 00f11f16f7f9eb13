import { checkOptions, nonEmptyString, required, silentLogger, systemClock } from "@eos/core";
import { createStateDirectory } from "./directory/state-directory.ts";

/** Where an application keeps its state on this machine. */
export interface ApplicationState {
  readonly stateDir: string;
  readonly applicationId: string;
}

/**
 * Removes the state of all tasks of an application on this machine, as Kafka Streams' `cleanUp`: it comes back from the
 * changelogs, all of it, and what has no changelog does not.
 *
 * @throws TypeError on an unknown, wrong or missing option; StateDirectoryInUseError when a task is open: nothing was
 * removed; StateDirectoryIoError
 */
export async function cleanUp(state: ApplicationState): Promise<void> {
  checkOptions("cleanUp", state, { stateDir: required(nonEmptyString), applicationId: required(nonEmptyString) });
  const { stateDir, applicationId } = state;
  await createStateDirectory({ stateDir, applicationId, clock: systemClock, logger: silentLogger }).cleanUp();
}
