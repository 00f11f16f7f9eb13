import { shutdownRequested, shutdownSignal } from "@tooling/app-cli/shutdown-signal";
import "@tooling/app-cli/parent-channel";
import { failureText } from "@tooling/app-cli";
import { CleanUp } from "./demo/clean-up.ts";
import { DEMO_HELP, type DemoOptions, readDemoOptions } from "./demo/demo-options.ts";
import { runDemo } from "./demo/run-demo.ts";
import { Screen } from "./demo/screen.ts";

/** As a shell reports the end by SIGINT. */
const INTERRUPTED = 130;
/** What is still starting, a download for example, may take longer than anybody waits after Ctrl-C. */
const CLEAN_UP_WITHIN_MS = 15_000;

async function main(): Promise<number> {
  let options: DemoOptions | "help";
  try {
    options = readDemoOptions(process.argv.slice(2));
  } catch (error) {
    process.stderr.write(`${failureText(error)}\nTry \`pnpm demo --help\`.\n`);
    return 2;
  }
  if (options === "help") {
    process.stdout.write(DEMO_HELP);
    return 0;
  }
  const screen = new Screen(process.stdout);
  const cleanUp = new CleanUp();
  try {
    const interrupted = shutdownRequested.then(() => INTERRUPTED);
    const exitCode = await Promise.race([runDemo(options, screen, cleanUp, shutdownSignal), interrupted]);
    if (exitCode === INTERRUPTED) screen.line("\nInterrupted: ending what was started.");
    return exitCode;
  } catch (error) {
    process.stderr.write(`\ndemo: ${failureText(error)}\n`);
    return 1;
  } finally {
    const patience = setTimeout(() => process.exit(INTERRUPTED), CLEAN_UP_WITHIN_MS);
    for (const failure of await cleanUp.run()) process.stderr.write(`demo: ${failureText(failure)}\n`);
    clearTimeout(patience);
  }
}

process.exit(await main());
