import { EosError } from "@eos/core";

const MAX_QUOTED = 60;

function quoted(name: string): string {
  return name.length <= MAX_QUOTED ? JSON.stringify(name) : `a name of ${name.length} characters`;
}

/** A name that would be part of a path cannot be one. Code `EOS_INVALID_STATE_NAME`, fatal. */
export class InvalidStateNameError extends EosError {
  /** What it names. */
  readonly kind: string;

  /** @param expects completes "must be …" */
  constructor(kind: string, name: string, expects: string) {
    super(`the ${kind} ${quoted(name)} cannot name a folder: it must be ${expects}`, {
      code: "EOS_INVALID_STATE_NAME",
      severity: "fatal",
      hint: "Choose another name; of a store that exists already, its changelog topic is named after it too.",
    });
    this.kind = kind;
  }
}

/** Something in the state directory is not a folder of its own, such as a symbolic link to another place. Code `EOS_UNSAFE_STATE_DIRECTORY`, fatal. */
export class UnsafeStateDirectoryError extends EosError {
  readonly folder: string;

  /** @param reason completes "… is not used: …" */
  constructor(folder: string, reason: string) {
    super(`${folder} is not used: ${reason}`, {
      code: "EOS_UNSAFE_STATE_DIRECTORY",
      severity: "fatal",
      hint: "State is written to, and removed from, real folders only: move what is there away, or let stateDir itself point to the other place.",
    });
    this.folder = folder;
  }
}

/** A task's folder is held by another process on this machine, or by another processor of this one. Code `EOS_TASK_DIRECTORY_LOCKED`, retriable. */
export class TaskDirectoryLockedError extends EosError {
  readonly taskId: string;
  readonly folder: string;

  constructor(taskId: string, folder: string, waitedMs: number) {
    super(`the directory ${folder} of task ${taskId} is still held elsewhere after ${Math.round(waitedMs)} ms`, {
      code: "EOS_TASK_DIRECTORY_LOCKED",
      severity: "retriable",
      hint: "The owner before has not let go, as when it is frozen or hangs in user code: end that process, or give each process a stateDir of its own.",
    });
    this.taskId = taskId;
    this.folder = folder;
  }
}

/** The state of an application cannot be removed while one of its tasks is open somewhere. Code `EOS_STATE_DIRECTORY_IN_USE`, fatal. */
export class StateDirectoryInUseError extends EosError {
  readonly taskIds: readonly string[];

  constructor(folder: string, taskIds: readonly string[]) {
    super(`${folder} is not cleaned up: ${taskIds.join(", ")} in use; nothing was removed`, {
      code: "EOS_STATE_DIRECTORY_IN_USE",
      severity: "fatal",
      hint: "Close all processors of the application on this machine first.",
    });
    this.taskIds = taskIds;
  }
}

/** The file system refused something other than a store's own reads and writes. Code `EOS_STATE_DIRECTORY_IO`, retriable. */
export class StateDirectoryIoError extends EosError {
  readonly folder: string;

  /** @param doing completes "… failed" */
  constructor(folder: string, doing: string, cause: unknown) {
    super(`${doing} ${folder} failed: ${cause instanceof Error ? cause.message : String(cause)}`, {
      code: "EOS_STATE_DIRECTORY_IO",
      severity: "retriable",
      hint: "Check that this process may write in stateDir, and that its disk has room.",
      cause,
    });
    this.folder = folder;
  }
}

/** What the file system says becomes a {@link StateDirectoryIoError}; other errors stay what they are. */
export function directoryError(folder: string, doing: string, error: unknown): unknown {
  const isOfTheSystem = !EosError.is(error) && typeof (error as NodeJS.ErrnoException).code === "string";
  return isOfTheSystem ? new StateDirectoryIoError(folder, doing, error) : error;
}
