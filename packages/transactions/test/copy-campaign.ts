import type { Client } from "@eos/client";
import { isTransactionHeld, KillCampaign, type Random } from "@tooling/faults";
import { CopyWorker, type CopyWorkerOptions, type WorkerEvent } from "./copy-worker.ts";

export interface CopyCampaignOptions {
  readonly client: Client;
  readonly worker: CopyWorkerOptions;
  readonly workers: number;
  readonly kills: number;
  readonly random: Random;
}

/** Kills copying workers. */
export function copyCampaign({
  client,
  worker,
  ...options
}: CopyCampaignOptions): KillCampaign<WorkerEvent, CopyWorker> {
  return new KillCampaign({
    ...options,
    start: () => new CopyWorker(worker),
    isTransactionHeld: () => isTransactionHeld(client.admin, worker.output, 2 * (worker.commitIntervalMs ?? 100)),
  });
}
