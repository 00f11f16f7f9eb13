// Plain consume on stock kafkajs: every key and value read as a string, offsets committed every 100 ms.
// Prints how many records and characters it read once `--records` have come.
import { connect, endOnCrash, onTermination, readOptions } from "./connection.mjs";

const { bootstrap, group, topic, records, partitions } = readOptions("group", "topic", "records", "partitions");
const consumer = connect(bootstrap).consumer({ groupId: group });
let read = 0;
let characters = 0;
onTermination(() => consumer.disconnect());
endOnCrash(consumer);
await consumer.connect();
await consumer.subscribe({ topic, fromBeginning: true });
await consumer.run({
  autoCommitInterval: 100,
  partitionsConsumedConcurrently: Number(partitions),
  eachBatch: async ({ batch }) => {
    for (const { key, value } of batch.messages) characters += key.toString().length + value.toString().length;
    read += batch.messages.length;
    if (read >= Number(records)) console.log(JSON.stringify({ records: read, characters }));
  },
});
