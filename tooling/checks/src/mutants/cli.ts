import { parseArgs } from "node:util";
import { type KafkaConnection, resolveKafka } from "@tooling/kafka";
import { runProgram } from "../program.ts";
import type { Mutant } from "./mutant.ts";
import { mutants } from "./mutant-table.ts";
import { needsBroker, runMutants, type MutantResult } from "./run-mutants.ts";

const USAGE = `pnpm mutants [name …]

Switches off each repair in a copy of the working tree and expects its test to fail.
Names: ${[...new Set(mutants.map(({ name }) => name))].join(", ")} (all, when none is given)`;

await runProgram(main);

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    options: { help: { type: "boolean", short: "h" } },
    allowPositionals: true,
  });
  if (values.help === true) {
    console.log(USAGE);
    return 0;
  }
  const unknown = positionals.filter((name) => !mutants.some((mutant) => mutant.name === name));
  if (unknown.length > 0) {
    console.error(`There is no mutant ${unknown.join(", ")}.\n\n${USAGE}`);
    return 2;
  }
  const chosen = mutants.filter(({ name }) => positionals.length === 0 || positionals.includes(name));
  const results = await runOnOneBroker(chosen);
  const killed = results.filter(({ verdict }) => verdict === "killed").length;
  console.log(`${killed} of ${chosen.length} mutants killed`);
  return killed === chosen.length ? 0 : 1;
}

/** One broker for all of them: starting it anew for each test would take longer than the tests. */
async function runOnOneBroker(chosen: readonly Mutant[]): Promise<MutantResult[]> {
  let kafka: KafkaConnection | undefined;
  if (chosen.some(needsBroker)) kafka = await resolveKafka();
  try {
    const results: MutantResult[] = [];
    const env = kafka === undefined ? {} : { KAFKA_BROKERS: kafka.bootstrapServers };
    const width = Math.max(...chosen.map(({ name }) => name.length));
    const onResult = (result: MutantResult): void => {
      const { mutant, verdict, seconds } = result;
      const time = `${seconds.toFixed(1)} s`.padStart(7);
      console.log(`${mutant.name.padEnd(width)}  ${verdict.padEnd(8)} ${time}  ${mutant.test.title}`);
      if (verdict !== "killed") console.log(result.output.trimEnd());
      results.push(result);
    };
    await runMutants(chosen, onResult, env);
    return results;
  } finally {
    await kafka?.stop();
  }
}
