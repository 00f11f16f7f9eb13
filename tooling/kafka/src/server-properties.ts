/** Where a node of the cluster listens. */
export interface NodeAddress {
  readonly id: number;
  readonly port: number;
  readonly controllerPort: number;
}

/** Settings that make faults quick and tests small; the cluster's own plumbing is not among them. */
export function testSettings(nodeCount: number): Record<string, string> {
  const replication = String(nodeCount);
  const minimumInSync = String(nodeCount > 1 ? 2 : 1);
  return {
    "auto.create.topics.enable": "false",
    "default.replication.factor": replication,
    "min.insync.replicas": minimumInSync,
    "unclean.leader.election.enable": "false",
    "offsets.topic.num.partitions": "4",
    "offsets.topic.replication.factor": replication,
    "transaction.state.log.num.partitions": "4",
    "transaction.state.log.replication.factor": replication,
    "transaction.state.log.min.isr": minimumInSync,
    "share.coordinator.state.topic.num.partitions": "4",
    "share.coordinator.state.topic.replication.factor": replication,
    "share.coordinator.state.topic.min.isr": minimumInSync,
    // A node that was killed is let in again only when its old session has run out: 9 s by default.
    "broker.session.timeout.ms": "3000",
    "broker.heartbeat.interval.ms": "500",
    "group.min.session.timeout.ms": "500",
    "group.initial.rebalance.delay.ms": "0",
    "transaction.abort.timed.out.transaction.cleanup.interval.ms": "500",
    // Tests replay events of years ago; with a retention they would be deleted at once.
    "log.retention.ms": "-1",
    // With these a topic compacts within seconds when it asks for it (segment.ms, min.cleanable.dirty.ratio).
    "log.cleaner.backoff.ms": "500",
    // The default of 128 MB is a third of the heap.
    "log.cleaner.dedupe.buffer.size": "8388608",
  };
}

/** The server.properties of one combined broker and controller. `config` wins over the test settings. */
export function serverProperties(
  node: NodeAddress,
  nodes: readonly NodeAddress[],
  dataDirectory: string,
  config: Readonly<Record<string, string>>,
): string {
  const voters = nodes.map(({ id, controllerPort }) => `${id}@127.0.0.1:${controllerPort}`).join(",");
  const properties: Record<string, string> = {
    ...testSettings(nodes.length),
    "process.roles": "broker,controller",
    "node.id": String(node.id),
    "controller.quorum.voters": voters,
    "controller.listener.names": "CONTROLLER",
    "inter.broker.listener.name": "PLAINTEXT",
    listeners: `PLAINTEXT://127.0.0.1:${node.port},CONTROLLER://127.0.0.1:${node.controllerPort}`,
    "advertised.listeners": `PLAINTEXT://127.0.0.1:${node.port}`,
    "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
    "log.dirs": dataDirectory,
    ...config,
  };
  return Object.entries(properties)
    .map(([name, value]) => `${name}=${value.replaceAll("\\", "\\\\").replaceAll("\n", "\\n")}\n`)
    .join("");
}
