import { EosError } from "@eos/core";

/** The group has gone on without this member: its partitions may be somebody else's already, nothing may be committed. */
export class GroupLostError extends EosError {
  constructor(message: string) {
    super(message, {
      code: "EOS_GROUP_LOST",
      severity: "abortable",
      hint: "The member joins again by itself. Blocking the event loop for longer than sessionTimeoutMs is the usual cause.",
    });
  }
}
