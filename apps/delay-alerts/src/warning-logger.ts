import { formatTopicPartition, type Logger } from "@eos/core";
import { failureLine } from "@tooling/app-cli";

/** Fields of a log entry that are worth their place in a line. */
interface Fields {
  readonly topic?: string;
  readonly partition?: number;
  readonly offset?: number;
  readonly broker?: string;
  readonly err?: unknown;
  readonly error?: unknown;
}

/** Hands the warnings of the packages on as lines. What stops the group ends the program, which says so itself. */
export function createWarningLogger(onWarning: (text: string) => void): Logger {
  const ignore = (): void => {};
  return {
    debug: ignore,
    info: ignore,
    warn: (fields, message) => onWarning(formatEntry(fields, message)),
    error: ignore,
  };
}

/** `a record was skipped: flights-2@17: EOS_SERDE: …` */
function formatEntry(fields: Fields, message: string): string {
  const where = place(fields);
  const why = fields.err ?? fields.error;
  return [message, ...(where === undefined ? [] : [where]), ...(why === undefined ? [] : [failureLine(why)])].join(
    ": ",
  );
}

function place({ topic, partition, offset, broker }: Fields): string | undefined {
  if (topic === undefined) return broker;
  if (partition === undefined) return topic;
  const name = formatTopicPartition({ topic, partition });
  return offset === undefined ? name : `${name}@${offset}`;
}
