// Plain consume through createConsumerGroup: every key and value read as a string, offsets committed every 100 ms.
// Prints how many records and characters it read once `--records` have come.
import { createConsumerGroup } from "@eos/consumer-groups";
import { stringSerde } from "@eos/core";
import { onTermination, readOptions } from "./command-line.mjs";

const { bootstrap, group: groupId, topic, records } = readOptions("bootstrap", "group", "topic", "records");
let read = 0;
let characters = 0;

const group = createConsumerGroup({
  brokers: bootstrap.split(","),
  groupId,
  topics: topic,
  key: stringSerde,
  value: stringSerde,
  commit: { intervalMs: 100 },
  batchHandler: (batch) => {
    for (const { key, value } of batch.records) characters += key.length + value.length;
    read += batch.records.length;
    if (read >= Number(records)) console.log(JSON.stringify({ records: read, characters }));
  },
});
onTermination(() => group.close());
await group.start();
await group.finished;
