import { parseArgs } from "node:util";
import { updateApiReports } from "./api-report.ts";

const { values } = parseArgs({ options: { update: { type: "boolean", default: false } } });
const problems = updateApiReports(values.update ? "update" : "verify");
for (const problem of problems) console.error(problem);
process.exitCode = problems.length === 0 ? 0 : 1;
