import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startWatchdog } from "@tooling/kafka";

/** A processor that ends because this process is gone may still write for a while. */
const REMOVE = `
tries=0
while [ -e "$1" ] && [ "$tries" -lt 20 ]; do
  rm -rf "$1" 2>/dev/null
  tries=$((tries + 1))
  sleep 1
done
`;

/** A temporary folder that goes with this process, also when that is killed. */
export class StateFolder {
  readonly path: string;
  readonly #endWatchdog: () => Promise<void>;

  private constructor(path: string) {
    this.path = path;
    this.#endWatchdog = startWatchdog(REMOVE, [path]);
  }

  static async create(): Promise<StateFolder> {
    return new StateFolder(await mkdtemp(join(tmpdir(), "eos-demo-state-")));
  }

  /** Whoever writes to it must have ended. */
  async remove(): Promise<void> {
    await rm(this.path, { recursive: true, force: true });
    await this.#endWatchdog();
  }
}
