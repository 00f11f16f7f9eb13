import { readFileSync } from "node:fs";

/** What a process and its children have used so far. */
export interface Usage {
  /** User and system time of all of them, ended children included. */
  readonly cpuSeconds: number;
  /** VmRSS, summed over the living. */
  readonly rssMegabytes: number;
  /** The kernel's own peak (VmHWM), summed over the living. */
  readonly peakRssMegabytes: number;
}

// Linux reports in 1/100 s to user space whatever its own tick is.
const TICKS_PER_SECOND = 100;

/** Reads /proc; undefined when the process has ended. */
export function readUsage(pid: number): Usage | undefined {
  let ticks = 0;
  let rssKilobytes = 0;
  let peakKilobytes = 0;
  let pids = [pid];
  try {
    while (pids.length > 0) {
      const children: number[] = [];
      for (const each of pids) {
        ticks += ticksOf(each);
        const status = readFileSync(`/proc/${each}/status`, "latin1");
        rssKilobytes += kilobytesIn(status, "VmRSS");
        peakKilobytes += kilobytesIn(status, "VmHWM");
        children.push(...childrenOf(each));
      }
      pids = children;
    }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ESRCH") return undefined;
    throw error;
  }
  return {
    cpuSeconds: ticks / TICKS_PER_SECOND,
    rssMegabytes: rssKilobytes / 1024,
    peakRssMegabytes: peakKilobytes / 1024,
  };
}

function ticksOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
  // The second field is the name in parentheses and may hold spaces; utime, stime, cutime and cstime are fields 14 to 17.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
}

function kilobytesIn(status: string, name: string): number {
  // A process that has ended but was not waited for has no memory any more.
  return Number(new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(status)?.[1] ?? 0);
}

function childrenOf(pid: number): number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "latin1").trim();
  return children === "" ? [] : children.split(" ").map(Number);
}
