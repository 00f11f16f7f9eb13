import type { FetchedRecord } from "@eos/client";
import {
  createHeaders,
  formatTopicPartition,
  jsonSerde,
  type LifecycleState,
  type Logger,
  type Observer,
  stringSerde,
} from "@eos/core";
import { createExactlyOnceProcessor, type ExactlyOnceProcessor } from "@eos/transactions";
import type { RouteTotalsConfig } from "./config.ts";
import { type Flight, flightSchema } from "./flight.ts";
import { addFlight, routeDelayOf, type RouteRow, rowOf } from "./topology.ts";
import type { TotalsStore } from "./totals-store.ts";

export type RouteTotalsProcessor = ExactlyOnceProcessor<Buffer, Flight, string, RouteRow>;

export interface RouteTotalsHooks {
  readonly logger: Logger;
  readonly observer: Observer;
  readonly onStateChange: (next: LifecycleState, previous: LifecycleState) => void;
}

const NO_HEADERS = createHeaders();

/** The topology between a topic and a store on one side, and a topic on the other. A row has the time of its flight. */
export function createRouteTotalsProcessor(
  config: RouteTotalsConfig,
  totals: TotalsStore,
  hooks: RouteTotalsHooks,
): RouteTotalsProcessor {
  const { input, output, outputPartitions, traceSource } = config;
  return createExactlyOnceProcessor<Buffer, Flight, string, RouteRow>({
    ...config.processor,
    ...hooks,
    clientId: config.processor.applicationId,
    input: { topic: input, value: jsonSerde(flightSchema) },
    output: {
      topic: output,
      key: stringSerde,
      value: jsonSerde(),
      ...(outputPartitions === undefined ? {} : { partitions: outputPartitions }),
    },
    stores: [totals],
    transform(record, context) {
      // What was deleted has been counted all the same.
      const counted = record.value === null ? null : routeDelayOf(record.value);
      if (counted === null) return undefined;
      const { route, delay } = counted;
      const store = context.getStateStore(totals);
      const next = addFlight(store.get(route), delay);
      store.put(route, next);
      return { key: route, value: rowOf(route, next), headers: traceSource ? sourceOf(record) : NO_HEADERS };
    },
  });
}

function sourceOf(record: FetchedRecord<Buffer, Flight>) {
  return createHeaders({ "eos-source": `${formatTopicPartition(record)}@${record.offset}` });
}
