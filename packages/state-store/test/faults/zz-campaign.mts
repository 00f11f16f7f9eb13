import { readFile, rm, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Random } from "./random.ts";
import { judge, stateFiles, StoreImages } from "./store-images.ts";
const random = new Random();
const images = await StoreImages.create();
const tally: Record<string, Record<string, number>> = {};
const details: Record<string, number> = {};
const end = Date.now() + Number(process.argv[2]) * 1000;
console.log(await stateFiles(await images.copy()));
while (Date.now() < end) {
  const folder = await images.copy();
  const kind = random.of(["log", "log", "manifest", "table", "any"] as const);
  const names = await stateFiles(folder, kind);
  if (names.length === 0) continue;
  const name = random.of(names);
  const path = join(folder, name);
  const bytes = await readFile(path);
  const act = random.of(["flip", "flip", "byte", "zero", "cut", "cut", "twocut", "insert"]);
  const at = random.below(Math.max(1, bytes.length));
  if (act === "flip") {
    bytes[at]! ^= 1 << random.below(8);
    await writeFile(path, bytes);
  }
  if (act === "byte") {
    bytes[at] = random.below(256);
    await writeFile(path, bytes);
  }
  if (act === "zero") {
    bytes.fill(0, at - (at % 512), Math.min(bytes.length, at - (at % 512) + 512));
    await writeFile(path, bytes);
  }
  if (act === "cut") await truncate(path, at);
  if (act === "twocut") {
    await truncate(path, at);
    const o = random.of(await stateFiles(folder));
    const l = (await readFile(join(folder, o))).length;
    await truncate(join(folder, o), random.below(l + 1));
  }
  if (act === "insert") {
    await writeFile(
      path,
      Buffer.concat([bytes.subarray(0, at), Buffer.alloc(1 + random.below(40), random.below(256)), bytes.subarray(at)]),
    );
  }
  const v = await judge(folder);
  const key = `${name.replace(/\d+/, "N")} ${act}`;
  (tally[key] ??= {})[v.outcome] = (tally[key]![v.outcome] ?? 0) + 1;
  const d = v.detail.replace(/\d+/g, "N");
  if (v.outcome === "detected") details[d] = (details[d] ?? 0) + 1;
  if (v.outcome === "wrong") console.log("WRONG", random.seed, name, act, at, v.detail);
  await rm(folder, { recursive: true, force: true });
}
console.table(tally);
console.log(details);
await images[Symbol.asyncDispose]();
