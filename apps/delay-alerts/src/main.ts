import { requestShutdown, shutdownRequested, shutdownSignal } from "@tooling/app-cli/shutdown-signal";
import { formatTopicPartition } from "@eos/core";
import { failureLine, runApp } from "@tooling/app-cli";
import { AlertWorker } from "./alert-worker.ts";
import { type DelayAlertsConfig, HELP, readConfig } from "./config.ts";
import type { Display } from "./display.ts";
import { GroupWatch } from "./group-watch.ts";
import { listenToKeys } from "./keys.ts";
import { LogDisplay } from "./log-display.ts";
import { Scaler } from "./scaler.ts";
import { TerminalDisplay } from "./terminal-display.ts";
import { createWarningLogger } from "./warning-logger.ts";

const LAG_INTERVAL_MS = 1_000;

async function run(config: DelayAlertsConfig): Promise<void> {
  const { stdout, stderr } = process;
  const display = stdout.isTTY ? new TerminalDisplay(stdout, stderr) : new LogDisplay(stdout, stderr);
  try {
    await work(config, display);
  } finally {
    display.close();
  }
}

/** Until the end is asked for, or the group stops. */
async function work(config: DelayAlertsConfig, display: Display): Promise<void> {
  const worker = createWorker(config, display);
  const { group } = worker;
  display.event(`process ${process.pid}: SIGUSR1 adds a member, SIGUSR2 removes one`);
  const started = worker.start();
  const scaler = new Scaler({
    members: config.members,
    started,
    scale: (members) => group.scale(members),
    signal: shutdownSignal,
    onEvent: (text) => display.event(text),
    onFailure: (text) => display.warning(text),
  });
  const watch = new GroupWatch({
    group,
    groupId: group.groupId,
    input: config.input,
    output: config.output,
    processId: process.pid,
    alerts: () => worker.alerts,
    // The state is judged by ten samples, which should span several commits.
    lagIntervalMs: Math.max(LAG_INTERVAL_MS, config.commitIntervalMs ?? 0),
  });
  const stopListening = listen(scaler);
  const timer = setInterval(() => display.show(watch.view()), display.intervalMs);
  let isWatched = false;
  try {
    const finished = started.then(() => {
      isWatched = true;
      watch.start();
      return group.finished;
    });
    await Promise.race([shutdownRequested, finished]);
  } finally {
    stopListening();
    await worker.close();
    // Until here the timer keeps the process alive, which a pending promise does not.
    clearInterval(timer);
    // How things stood at the end.
    if (isWatched) display.show(watch.view());
  }
}

function createWorker(config: DelayAlertsConfig, display: Display): AlertWorker {
  return new AlertWorker(config, {
    logger: createWarningLogger((text) => display.warning(text)),
    observer: {
      rebalanced: ({ generationId, assigned }) =>
        display.event(`generation ${generationId}: ${assigned.map(formatTopicPartition).join(" ") || "no partitions"}`),
      memberFailed: ({ error, willBeReplaced }) => {
        if (willBeReplaced) display.warning(`a member failed and is replaced: ${failureLine(error)}`);
      },
    },
    onStateChange: (next, previous) => display.event(`${previous} → ${next}`),
  });
}

/** @returns ends it */
function listen(scaler: Scaler): () => void {
  const commands = {
    more: () => void scaler.change(1),
    fewer: () => void scaler.change(-1),
    quit: requestShutdown,
  };
  process.on("SIGUSR1", commands.more);
  process.on("SIGUSR2", commands.fewer);
  const { stdin, stdout } = process;
  // These signals stay ours: one that comes late must not end the process by their default.
  return stdin.isTTY && stdout.isTTY ? listenToKeys(stdin, commands) : () => {};
}

await runApp({ name: "delay-alerts", help: HELP, prepare: readConfig, run });
