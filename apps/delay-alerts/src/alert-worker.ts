import { createClient, createProducer, type FetchedRecord, type RecordProducer } from "@eos/client";
import { type ConsumerGroup, createConsumerGroup, type ErrorAnswer, type HandlerContext } from "@eos/consumer-groups";
import {
  createHeaders,
  formatTopicPartition,
  jsonSerde,
  type LifecycleState,
  type Logger,
  type Observer,
  systemClock,
} from "@eos/core";
import type { DelayAlertsConfig } from "./config.ts";
import { type EnrichedFlight, enrichedFlightSchema } from "./enriched-flight.ts";
import { answerTo } from "./error-policy.ts";
import { type Alert, alertFor } from "./topology.ts";

export interface AlertWorkerHooks {
  readonly logger: Logger;
  readonly observer: Observer;
  readonly onStateChange: (next: LifecycleState, previous: LifecycleState) => void;
}

type FlightRecord = FetchedRecord<Buffer, EnrichedFlight>;

const alertSerde = jsonSerde<Alert>();

/** Together less than the ten seconds that a supervisor usually gives a process. */
const GROUP_CLOSE_MS = 7_000;
const PRODUCER_CLOSE_MS = 1_000;
/** While nothing can be sent all flights in hand fail again and again; one line now and then tells enough. */
const TELL_OF_FAILURES_MS = 5_000;

/**
 * A worker group with the topology in it. At least once: a flight counts as done when its alert is acknowledged, and what
 * was not committed when a process died is handled again.
 */
export class AlertWorker {
  readonly group: ConsumerGroup<Buffer, EnrichedFlight>;
  readonly #config: DelayAlertsConfig;
  readonly #logger: Logger;
  readonly #producer: RecordProducer;
  #toldOfFailureMs = Number.NEGATIVE_INFINITY;
  /** Sent by this process. */
  alerts = 0;

  constructor(config: DelayAlertsConfig, hooks: AlertWorkerHooks) {
    const { client, group, input, members, commitIntervalMs } = config;
    const connection = { ...client, clientId: group.groupId, logger: hooks.logger };
    this.#config = config;
    this.#logger = hooks.logger;
    this.#producer = createProducer(connection);
    this.group = createConsumerGroup<Buffer, EnrichedFlight>({
      ...connection,
      ...group,
      ...hooks,
      topics: input,
      members,
      value: jsonSerde(enrichedFlightSchema),
      ordering: "key",
      commit: commitIntervalMs === undefined ? "batch" : { intervalMs: commitIntervalMs },
      handler: (record, context) => this.#handle(record, context),
      onError: (error, record) => this.#answerTo(error, record),
    });
  }

  /** @throws UnknownTopicError, ConnectionError, AuthenticationError, AuthorizationError */
  async start(): Promise<void> {
    await this.#prepareOutput();
    await this.#producer.start();
    await this.group.start();
  }

  /** Within ten seconds, whatever the brokers do. What is not acknowledged by then is not committed either. */
  async close(): Promise<void> {
    await this.group.close({ timeoutMs: GROUP_CLOSE_MS });
    const tooLate = new AbortController();
    try {
      await Promise.race([this.#producer.close(), systemClock.sleep(PRODUCER_CLOSE_MS, tooLate.signal)]);
    } finally {
      tooLate.abort();
    }
  }

  /** Most flights are in time: for them nothing is awaited. */
  #handle(record: FlightRecord, { signal }: HandlerContext): Promise<void> | undefined {
    const flight = record.value;
    const alert = flight === null ? null : alertFor(flight, record.timestamp, this.#config.thresholdMinutes);
    return alert === null ? undefined : this.#raise(alert, record, signal);
  }

  async #raise(alert: Alert, record: FlightRecord, signal: AbortSignal): Promise<void> {
    const { notifyMs, output, traceSource } = this.#config;
    await notifySomebody(notifyMs, signal);
    await this.#producer.send<Buffer, Alert>({
      topic: output,
      value: alertSerde,
      records: [
        {
          key: record.key,
          value: alert,
          ...(record.timestamp < 0 ? {} : { timestamp: record.timestamp }),
          ...(traceSource ? { headers: createHeaders({ "eos-source": sourceOf(record) }) } : {}),
        },
      ],
    });
    this.alerts++;
  }

  #answerTo(err: unknown, { topic, partition, offset }: FlightRecord): ErrorAnswer {
    const answer = answerTo(err);
    const nowMs = systemClock.monotonicMs();
    if (answer === "retry" && nowMs - this.#toldOfFailureMs > TELL_OF_FAILURES_MS) {
      this.#toldOfFailureMs = nowMs;
      this.#logger.warn({ topic, partition, offset, err }, "an alert could not be sent, trying again");
    }
    return answer;
  }

  /** Before the first flight is read: otherwise a wrong topic would show at the first alert only. */
  async #prepareOutput(): Promise<void> {
    const { client, group, output, outputPartitions, replicationFactor } = this.#config;
    await using admin = createClient({ ...client, clientId: group.groupId, logger: this.#logger });
    await admin.connect();
    if (outputPartitions === undefined) await admin.admin.partitionCount(output);
    else await admin.admin.ensureTopics([{ topic: output, partitions: outputPartitions, replicationFactor }]);
  }
}

/** Stands for a call to somebody else's service: some answer sooner than others. */
function notifySomebody(aboutMs: number, signal: AbortSignal): Promise<void> {
  return systemClock.sleep(aboutMs * (0.5 + Math.random()), signal);
}

function sourceOf(record: FlightRecord): string {
  return `${formatTopicPartition(record)}@${record.offset}`;
}
