// A key-value store on LevelDB without a broker: fills it with `--keys` keys, 10,000 a commit, in no order of the keys, and
// reads from it when it holds the first million and at its end. Prints its figures; rates count nothing but the calls.
import { readFileSync } from "node:fs";
import { createClient } from "@eos/client";
import { bytesSerde, silentLogger, stringSerde, systemClock } from "@eos/core";
import { keyValueStore, openStore } from "@eos/state-store";
import { readOptions } from "./command-line.mjs";

const COMMIT_PUTS = 10_000;
const FIRST_KEYS = 1_000_000;
const ENGINE_GETS = 200_000;
const OVERLAY_GETS = 2_000_000;
const VALUE_BYTES = 100;
/** Odd, so that multiplying by it is a bijection of 32 bits; 2³² divided by the golden ratio, so that it scatters. */
const SCATTER = 0x9e3779b1;

const { keys, "state-dir": stateDir } = readOptions("keys", "state-dir");
const total = Number(keys);
const first = Math.min(FIRST_KEYS, total);
const value = Buffer.alloc(VALUE_BYTES, "the quick brown fox jumps over the lazy dog ");

function keyOf(number) {
  return `k${(Math.imul(number, SCATTER) >>> 0).toString(16).padStart(8, "0")}`;
}

function keysFrom(start, count) {
  return Array.from({ length: count }, (_, index) => keyOf(start + index));
}

function randomKeys(below, count) {
  return Array.from({ length: count }, () => keyOf(Math.floor(Math.random() * below)));
}

/** What the whole process has used so far, LevelDB's own thread included. */
function usage() {
  const { user, system } = process.cpuUsage();
  const written = Number(/^write_bytes: (\d+)/m.exec(readFileSync("/proc/self/io", "latin1"))[1]);
  return { cpuMicros: user + system, written };
}

class Fill {
  done = 0;
  putMs = 0;
  commitMs = 0;
  #cpuMicros = 0;
  #written = 0;

  async to(count) {
    while (this.done < count) {
      const batch = keysFrom(this.done, Math.min(COMMIT_PUTS, count - this.done));
      const before = usage();
      const beginMs = performance.now();
      for (const key of batch) store.put(key, value);
      const putMs = performance.now();
      await opened.commit();
      const endMs = performance.now();
      const after = usage();
      this.done += batch.length;
      this.putMs += putMs - beginMs;
      this.commitMs += endMs - putMs;
      this.#cpuMicros += after.cpuMicros - before.cpuMicros;
      this.#written += after.written - before.written;
    }
  }

  figures() {
    return {
      microsPerPut: ((this.putMs + this.commitMs) * 1_000) / this.done,
      cpuMicrosPerPut: this.#cpuMicros / this.done,
      writtenBytesPerPut: this.#written / this.done,
    };
  }
}

function getsPerSecond(wanted) {
  const beginMs = performance.now();
  for (const key of wanted) {
    if (store.get(key) === null) throw new Error(`${key} is missing`);
  }
  return (wanted.length * 1_000) / (performance.now() - beginMs);
}

const host = {
  applicationId: "store-micro",
  // It is never connected: a store without a changelog asks it for nothing.
  client: createClient({ brokers: ["localhost:1"] }),
  stateDir,
  taskCount: 1,
  replicationFactor: 1,
  clock: systemClock,
  logger: silentLogger,
  observer: {},
};
const builder = keyValueStore({ name: "store", key: stringSerde, value: bytesSerde, changelog: "none" });
const opened = await openStore(builder, host);
const { store } = opened;
const fill = new Fill();

await fill.to(first);
const commitPutsPerSecond = (fill.done * 1_000) / fill.commitMs;
const putsPerSecond = (fill.done * 1_000) / fill.putMs;
const atFirst = fill.figures();
const firstRssMegabytes = process.memoryUsage.rss() / 1024 / 1024;
getsPerSecond(randomKeys(first, ENGINE_GETS));
const engineGetsPerSecond = getsPerSecond(randomKeys(first, ENGINE_GETS));

await fill.to(total);
const atEnd = fill.figures();
const lastRssMegabytes = process.memoryUsage.rss() / 1024 / 1024;
getsPerSecond(randomKeys(total, ENGINE_GETS));
const lastEngineGetsPerSecond = getsPerSecond(randomKeys(total, ENGINE_GETS));

for (const key of keysFrom(0, COMMIT_PUTS)) store.put(key, value);
const hits = randomKeys(COMMIT_PUTS, OVERLAY_GETS);
getsPerSecond(hits);
const overlayGetsPerSecond = getsPerSecond(hits);

await opened.close();
console.log(
  JSON.stringify({
    overlayGetsPerSecond,
    engineGetsPerSecond,
    lastEngineGetsPerSecond,
    putsPerSecond,
    commitPutsPerSecond,
    firstMicrosPerPut: atFirst.microsPerPut,
    microsPerPut: atEnd.microsPerPut,
    growth: atEnd.microsPerPut / atFirst.microsPerPut,
    firstCpuMicrosPerPut: atFirst.cpuMicrosPerPut,
    cpuMicrosPerPut: atEnd.cpuMicrosPerPut,
    firstWrittenBytesPerPut: atFirst.writtenBytesPerPut,
    writtenBytesPerPut: atEnd.writtenBytesPerPut,
    firstRssMegabytes,
    lastRssMegabytes,
  }),
);
