export { type App, runApp } from "./app.ts";
export { type CommandLine, type CommandLineValues, describeOptions, readCommandLine } from "./command-line.ts";
export {
  BROKERS_OPTION,
  type ConnectionOptions,
  type ConnectionValues,
  readConnectionOptions,
  SECURITY_OPTIONS,
} from "./connection-options.ts";
export { defined } from "./defined.ts";
export { failureLine, failureText } from "./failure.ts";
export {
  type ProcessorConfig,
  processorOptions,
  type ProcessorValues,
  readProcessorConfig,
} from "./processor-options.ts";
