// Writes commits of the reference into a store, says the number of each, and holds the store open until it is killed.
// Arguments: folder, the commits to write before a clean stop, the commits to write in all, LevelDB's write buffer.
import { silentLogger, systemClock } from "@eos/core";
import { openLevelEngine } from "../../../src/engine/level-engine.ts";
import { writeCommits } from "../reference.ts";

const [folder, beforeStop, inAll, writeBufferBytes] = process.argv.slice(2) as [string, string, string, string];
const options = { folder, logger: silentLogger, clock: systemClock, writeBufferBytes: Number(writeBufferBytes) };
const say = (commit: number): void => {
  process.stdout.write(`${commit}\n`);
};

const first = await openLevelEngine(options);
await writeCommits(first, Number(beforeStop), say);
await first.close();
const second = await openLevelEngine(options);
await writeCommits(second, Number(inAll), say);
setInterval(() => undefined, 60_000);
