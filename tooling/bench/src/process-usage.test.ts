import { spawn } from "node:child_process";
import { once } from "node:events";
import { describe, expect, it } from "vitest";
import { readUsage } from "./process-usage.ts";

// CPU time, not time: on a busy machine 300 ms on the clock are fewer on the processor.
const BURN = "while (process.cpuUsage().user < 300_000);";

describe.runIf(process.platform === "linux")("readUsage", () => {
  it("counts the time of a child that has ended and of one that still runs", async () => {
    const parent = `
      const { spawnSync, spawn } = require("node:child_process");
      spawnSync(process.execPath, ["-e", ${JSON.stringify(BURN)}]);
      spawn(process.execPath, ["-e", ${JSON.stringify(`${BURN} process.stdout.write("burnt"); setInterval(() => {}, 1000)`)}], { stdio: ["ignore", "inherit", "inherit"] });
    `;
    const child = spawn(process.execPath, ["-e", parent], { stdio: ["ignore", "pipe", "inherit"], detached: true });
    await once(child.stdout, "data");
    const usage = readUsage(child.pid as number);
    process.kill(-(child.pid as number), "SIGKILL");
    expect(usage?.cpuSeconds).toBeGreaterThan(0.5);
    expect(usage?.rssMegabytes).toBeGreaterThan(60);
    expect(usage?.peakRssMegabytes).toBeGreaterThanOrEqual(usage?.rssMegabytes ?? Infinity);
  });

  it("is undefined for a process that has ended", async () => {
    const child = spawn(process.execPath, ["-e", ""]);
    const { pid } = child;
    await once(child, "exit");
    expect(readUsage(pid as number)).toBeUndefined();
  });
});
