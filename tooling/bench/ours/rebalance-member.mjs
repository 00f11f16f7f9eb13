// A member of a group with a handler of 1 ms. It prints each of its pauses: from when it stopped handing out records to
// the first record that it handled again, with the rebalances in between (more than one if it had none to handle).
// With `--visits n` it is a visitor instead: it joins and leaves n times, and ends.
import { setTimeout as sleep } from "node:timers/promises";
import { rangeAssignor } from "@eos/client";
import { createConsumerGroup, stickyAssignor } from "@eos/consumer-groups";
import { onTermination, readOptions } from "./command-line.mjs";
import { oneMillisecond } from "./one-millisecond.mjs";

const ASSIGNORS = { range: rangeAssignor, sticky: stickyAssignor };
/** For the others to be at work again. */
const STAY_MS = 1_500;
/** The others hear of a departure with their next heartbeat, within 3 s. */
const ABSENCE_MS = 4_500;

const options = readOptions("bootstrap", "group", "topic", "assignor", "visits?");
const visits = Number(options.visits ?? 0);
let handled = 0;
let lost = 0;
let pause = null;
let joined = () => {};

/** On the clock that all processes of the machine share. */
function nowMs() {
  return performance.timeOrigin + performance.now();
}

function isAtWorkAgain() {
  const { rebalances } = pause;
  return rebalances.length > 0 && rebalances.at(-1).assignedAtMs !== null;
}

const group = createConsumerGroup({
  brokers: options.bootstrap.split(","),
  groupId: options.group,
  topics: options.topic,
  assignors: [ASSIGNORS[options.assignor]],
  members: visits > 0 ? 0 : 1,
  handler: () => {
    handled++;
    if (pause !== null && isAtWorkAgain()) {
      console.log(JSON.stringify({ ...pause, workingAtMs: nowMs() }));
      pause = null;
    }
    return oneMillisecond();
  },
  observer: {
    stateChanged: ({ previous }) => {
      if (previous === "RUNNING") pause ??= { stoppedAtMs: nowMs(), rebalances: [] };
    },
  },
  onRevoked: () => {
    pause?.rebalances.push({ revokedAtMs: nowMs(), assignedAtMs: null, generationId: null });
  },
  onAssigned: (_partitions, { generationId }) => {
    const rebalance = pause?.rebalances.at(-1);
    if (rebalance !== undefined) Object.assign(rebalance, { assignedAtMs: nowMs(), generationId });
    joined();
  },
  onLost: () => {
    lost++;
  },
});

async function visit() {
  const assigned = new Promise((resolve) => {
    joined = resolve;
  });
  await group.scale(1);
  await assigned;
  await sleep(STAY_MS);
  await group.scale(0);
  await sleep(ABSENCE_MS);
}

async function end() {
  await group.close();
  console.log(JSON.stringify({ handled, lost }));
}

onTermination(end);
await group.start();
if (visits === 0) {
  await group.finished;
} else {
  for (let i = 0; i < visits; i++) await visit();
  await end();
}
