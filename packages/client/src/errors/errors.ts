import { EosError, type EosErrorOptions, type Severity } from "@eos/core";
import { aclHint, type KafkaResource } from "./acl-hint.ts";
import { kafkaErrorClass, kafkaErrorName, type KafkaErrorClass } from "./kafka-errors.ts";

/** kafkajs' internals are used, so no other version will do. It is frozen: nobody releases it any more. */
export const KAFKAJS_VERSION = "2.2.4";

/** A connection could not be made, or was lost: whether the broker acted on the request is unknown. Code `EOS_CONNECTION`, retriable. */
export class ConnectionError extends EosError {
  constructor(message: string, options: { readonly hint?: string | undefined; readonly cause?: unknown } = {}) {
    super(message, { code: "EOS_CONNECTION", severity: "retriable", ...options });
  }
}

/** No answer in time; its connection is closed, so a late answer cannot come. Code `EOS_REQUEST_TIMEOUT`, retriable. */
export class RequestTimeoutError extends EosError {
  constructor(message: string) {
    super(message, {
      code: "EOS_REQUEST_TIMEOUT",
      severity: "retriable",
      hint: "The broker is overloaded, paused, or cut off; raise requestTimeoutMs if it is merely slow",
    });
  }
}

/** Whether a request may or may not have reached the broker: its connection was lost, or no answer came in time. */
export function isConnectionLoss(error: unknown): boolean {
  return EosError.is(error) && (error.code === "EOS_CONNECTION" || error.code === "EOS_REQUEST_TIMEOUT");
}

/** The client was closed before or while this was asked of it. Code `EOS_CLIENT_CLOSED`, fatal. */
export class ClientClosedError extends EosError {
  constructor() {
    super("The client is closed", { code: "EOS_CLIENT_CLOSED", severity: "fatal" });
  }
}

/** The broker does not know the topic. Code `EOS_UNKNOWN_TOPIC`, fatal. */
export class UnknownTopicError extends EosError {
  readonly topic: string;

  constructor(topic: string) {
    super(`Topic ${topic} does not exist`, {
      code: "EOS_UNKNOWN_TOPIC",
      severity: "fatal",
      hint: `Create it (kafka-topics --create --topic ${topic}), or check its name; topics are not created by using them`,
    });
    this.topic = topic;
  }
}

/** The broker refused the credentials, or its certificate was refused here. Code `EOS_AUTHENTICATION`, fatal. */
export class AuthenticationError extends EosError {
  constructor(message: string, options: { readonly hint?: string | undefined; readonly cause?: unknown } = {}) {
    super(message, { code: "EOS_AUTHENTICATION", severity: "fatal", ...options });
  }
}

/** A broker does not speak a version of the protocol that is needed. Code `EOS_UNSUPPORTED_VERSION`, fatal. */
export class UnsupportedVersionError extends EosError {
  constructor(message: string) {
    super(message, {
      code: "EOS_UNSUPPORTED_VERSION",
      severity: "fatal",
      hint: "Kafka 3.0 to 4.x are supported",
    });
  }
}

/** The installed kafkajs is not the one this package is made for. Code `EOS_ENGINE_MISMATCH`, fatal. */
export class EngineMismatchError extends EosError {
  constructor(found: string, cause?: unknown) {
    super(`This package needs kafkajs ${KAFKAJS_VERSION}, but found ${found}`, {
      code: "EOS_ENGINE_MISMATCH",
      severity: "fatal",
      hint: `npm i kafkajs@${KAFKAJS_VERSION}`,
      cause,
    });
  }
}

/** What a broker answered, and to what. */
export interface BrokerErrorDetails extends KafkaResource {
  /** Name of the API: `Produce`. */
  readonly api: string;
  readonly kafkaCode: number;
  /** The broker's own message, if it sent one. */
  readonly detail?: string | null;
  readonly partition?: number;
}

/** A broker answered with an error code. Code `EOS_BROKER`; the severity follows from Kafka's code. */
export class BrokerError extends EosError {
  readonly api: string;
  readonly kafkaCode: number;
  readonly kafkaName: string;
  readonly kafkaClass: KafkaErrorClass;

  constructor(details: BrokerErrorDetails, overrides: Partial<EosErrorOptions> = {}) {
    super(describe(details), {
      code: "EOS_BROKER",
      severity: severityOf(kafkaErrorClass(details.kafkaCode)),
      hint: aclHint(details.kafkaCode, details.api, details),
      ...overrides,
    });
    this.api = details.api;
    this.kafkaCode = details.kafkaCode;
    this.kafkaName = kafkaErrorName(details.kafkaCode);
    this.kafkaClass = kafkaErrorClass(details.kafkaCode);
  }
}

/** The principal lacks a permission; the hint names the ACL. Code `EOS_AUTHORIZATION`, fatal. */
export class AuthorizationError extends BrokerError {
  constructor(details: BrokerErrorDetails) {
    super(details, { code: "EOS_AUTHORIZATION", severity: "fatal" });
  }
}

/** Another producer took over the transactional id, or the broker gave this one up. Code `EOS_PRODUCER_FENCED`, fatal. */
export class ProducerFencedError extends BrokerError {
  constructor(details: BrokerErrorDetails) {
    super(details, {
      code: "EOS_PRODUCER_FENCED",
      severity: "fatal",
      hint: "Another instance uses the same transactional id, or a transaction outlived transactionTimeoutMs",
    });
  }
}

/** Another member of the group uses the same `groupInstanceId`: the one that joined last stays. Code `EOS_FENCED_INSTANCE_ID`, fatal. */
export class FencedInstanceIdError extends BrokerError {
  constructor(details: BrokerErrorDetails) {
    super(details, {
      code: "EOS_FENCED_INSTANCE_ID",
      severity: "fatal",
      hint: "Another member uses the same groupInstanceId: give every member of the group one of its own",
    });
  }
}

const OFFSET_METADATA_TOO_LARGE = 12;
const FENCED_INSTANCE_ID = 82;
const AUTHORIZATION_CODES: readonly number[] = [29, 30, 31, 53, 65];

/** The most specific error for a broker's answer. */
export function brokerError(details: BrokerErrorDetails): BrokerError {
  if (AUTHORIZATION_CODES.includes(details.kafkaCode)) return new AuthorizationError(details);
  if (kafkaErrorClass(details.kafkaCode) === "fenced") return new ProducerFencedError(details);
  if (details.kafkaCode === FENCED_INSTANCE_ID) return new FencedInstanceIdError(details);
  if (details.kafkaCode === OFFSET_METADATA_TOO_LARGE) {
    return new BrokerError(details, {
      hint: "The metadata beside a committed offset may have offset.metadata.max.bytes of the broker, 4 096 as shipped",
    });
  }
  return new BrokerError(details);
}

function severityOf(kind: KafkaErrorClass): Severity {
  switch (kind) {
    case "none":
    case "retry-in-place":
    case "refind-coordinator":
    case "refresh-metadata":
    case "wait":
      return "retriable";
    case "abort":
    case "poison-record":
    case "rejoin":
      return "abortable";
    case "fenced":
    case "fatal":
      return "fatal";
  }
}

function describe(details: BrokerErrorDetails): string {
  const { api, kafkaCode, topic, partition, groupId, transactionalId, detail } = details;
  const of = [
    topic === undefined ? null : partition === undefined ? topic : `${topic}-${partition}`,
    groupId === undefined ? null : `group ${groupId}`,
    transactionalId === undefined || transactionalId === null ? null : `transactional id ${transactionalId}`,
  ].filter((part) => part !== null);
  const subject = of.length === 0 ? api : `${api} of ${of.join(", ")}`;
  const said = detail === undefined || detail === null || detail === "" ? "" : `: ${detail}`;
  return `${subject} failed with ${kafkaErrorName(kafkaCode)} (${kafkaCode})${said}`;
}
