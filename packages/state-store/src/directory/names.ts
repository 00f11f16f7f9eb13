import { join, sep } from "node:path";
import { InvalidStateNameError, UnsafeStateDirectoryError } from "./directory-errors.ts";

/** Names that a topic may have (`org.apache.kafka.common.internals.Topic`): a store's is part of its changelog's. */
const NAME = /^[a-zA-Z0-9._-]{1,249}$/;
const NAME_EXPECTS = "1 to 249 letters, digits, '.', '_' and '-', and not '.' or '..'";
/** One spelling for each task: `00_1` would be a second folder of `0_1`. */
const TASK_ID = /^(0|[1-9]\d{0,9})_(0|[1-9]\d{0,9})$/;

/** @throws InvalidStateNameError */
export function checkApplicationId(applicationId: string): void {
  if (!isName(applicationId)) throw new InvalidStateNameError("applicationId", applicationId, NAME_EXPECTS);
}

export function isTaskId(name: string): boolean {
  return TASK_ID.test(name);
}

/** @throws InvalidStateNameError */
export function checkTaskId(taskId: string): void {
  if (!isTaskId(taskId)) throw new InvalidStateNameError("task id", taskId, "two numbers, as in '0_12'");
}

/** @throws InvalidStateNameError */
export function checkStoreName(store: string): void {
  // What begins with a dot is the directory's own: locks, and what is being removed.
  if (isName(store) && !store.startsWith(".")) return;
  throw new InvalidStateNameError("store name", store, `${NAME_EXPECTS}, nor begin with '.'`);
}

/**
 * Joins names that were checked. That the result lies where they say is asserted all the same: this is the only way from
 * a name to a path that is written to and removed.
 *
 * @throws UnsafeStateDirectoryError
 */
export function pathUnder(root: string, ...names: readonly string[]): string {
  const path = join(root, ...names);
  if (path !== [root, ...names].join(sep)) throw new UnsafeStateDirectoryError(path, `it is not below ${root}`);
  return path;
}

function isName(name: string): boolean {
  return NAME.test(name) && name !== "." && name !== "..";
}
