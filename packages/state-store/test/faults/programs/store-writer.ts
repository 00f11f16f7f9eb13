// Writes commits of the reference into a store, says `written`, and holds the store open until it is killed.
// Arguments: folder, the commits to write before a clean stop, the commits to write in all.
import { silentLogger, systemClock } from "@eos/core";
import { openLevelEngine } from "../../../src/engine/level-engine.ts";
import { writeCommits } from "../reference.ts";

const [folder, beforeStop, inAll] = process.argv.slice(2) as [string, string, string];
// Small, so that a little data makes many tables.
const options = { folder, logger: silentLogger, clock: systemClock, writeBufferBytes: 64 * 1024 };

const first = await openLevelEngine(options);
await writeCommits(first, Number(beforeStop));
await first.close();
const second = await openLevelEngine(options);
await writeCommits(second, Number(inAll));
process.stdout.write("written\n");
setInterval(() => undefined, 60_000);
