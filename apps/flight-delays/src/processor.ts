import type { FetchedRecord } from "@eos/client";
import { createHeaders, type Headers, jsonSerde, type Logger, type Observer } from "@eos/core";
import { createExactlyOnceProcessor, type ExactlyOnceProcessor, type ProcessorState } from "@eos/transactions";
import type { ProcessorConfig } from "@tooling/app-cli";
import type { AirportTable } from "./airports.ts";
import { type Flight, flightSchema } from "./flight.ts";
import { type EnrichedFlight, enrichFlight } from "./topology.ts";

export type FlightDelaysProcessor = ExactlyOnceProcessor<Buffer, Flight, Buffer, EnrichedFlight>;

export interface FlightDelaysHooks {
  readonly logger: Logger;
  readonly observer: Observer;
  readonly onStateChange: (next: ProcessorState, previous: ProcessorState) => void;
}

/** The topology with a topic at each end. Keys, timestamps and headers go through as they are. */
export function createFlightDelaysProcessor(
  config: ProcessorConfig,
  airports: AirportTable,
  hooks: FlightDelaysHooks,
): FlightDelaysProcessor {
  const { input, output, outputPartitions, traceSource } = config;
  return createExactlyOnceProcessor<Buffer, Flight, Buffer, EnrichedFlight>({
    ...config.processor,
    ...hooks,
    clientId: config.processor.applicationId,
    input: { topic: input, value: jsonSerde(flightSchema) },
    output: {
      topic: output,
      value: jsonSerde(),
      ...(outputPartitions === undefined ? {} : { partitions: outputPartitions }),
    },
    transform(record) {
      const flight = record.value;
      // A deleted flight is deleted in the output, too.
      const value = flight === null ? null : enrichFlight(flight, airports);
      return traceSource ? { value, headers: withSource(record) } : { value };
    },
  });
}

function withSource(record: FetchedRecord<Buffer, Flight>): Headers {
  const source = `${record.topic}-${record.partition}@${record.offset}`;
  return Object.assign(createHeaders(), record.headers, { "eos-source": Buffer.from(source) });
}
