// Writes src/protocol/java-goldens.json: requests and responses as Kafka's own Java classes encode them.
//
//   java -cp '<folder with kafka-clients-4.3.1.jar and its dependencies>/*' ProtocolGoldens.java > ../../src/protocol/java-goldens.json
//
// With the argument `errors` it writes src/errors/java-errors.json instead: the names of all error codes from 0 on.
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import org.apache.kafka.common.message.*;
import org.apache.kafka.common.protocol.*;
import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.common.record.internal.*;

public class ProtocolGoldens {
  static final List<String> LINES = new ArrayList<>();

  static void golden(String name, int version, Message message) {
    ObjectSerializationCache cache = new ObjectSerializationCache();
    int size = message.size(cache, (short) version);
    ByteBuffer buffer = ByteBuffer.allocate(size);
    message.write(new ByteBufferAccessor(buffer), cache, (short) version);
    LINES.add("  \"" + name + "\": \"" + HexFormat.of().formatHex(buffer.array()) + "\"");
  }

  public static void main(String[] args) {
    if (args.length == 1 && args[0].equals("errors")) {
      List<String> names = new ArrayList<>();
      for (Errors error : Errors.values()) if (error.code() >= 0) names.add("\"" + error.name() + "\"");
      System.out.println("[" + String.join(", ", names) + "]");
      return;
    }
    goldensOfCluster();
    goldensOfTransactions();
    goldensOfRecords();
    goldensOfGroups();
    goldensOfSubscriptions();
    goldensOfAdmin();
    System.out.println("{\n" + String.join(",\n", LINES) + "\n}");
  }

  static void goldensOfCluster() {
    golden("ApiVersionsRequest", 3, new ApiVersionsRequestData().setClientSoftwareName("eos-client").setClientSoftwareVersion("0"));
    var keys = new ApiVersionsResponseData.ApiVersionCollection();
    keys.add(new ApiVersionsResponseData.ApiVersion().setApiKey((short) 0).setMinVersion((short) 3).setMaxVersion((short) 13));
    keys.add(new ApiVersionsResponseData.ApiVersion().setApiKey((short) 18).setMinVersion((short) 0).setMaxVersion((short) 4));
    var supported = new ApiVersionsResponseData.SupportedFeatureKeyCollection();
    supported.add(new ApiVersionsResponseData.SupportedFeatureKey().setName("transaction.version").setMinVersion((short) 0).setMaxVersion((short) 2));
    var finalized = new ApiVersionsResponseData.FinalizedFeatureKeyCollection();
    finalized.add(new ApiVersionsResponseData.FinalizedFeatureKey().setName("metadata.version").setMinVersionLevel((short) 1).setMaxVersionLevel((short) 29));
    finalized.add(new ApiVersionsResponseData.FinalizedFeatureKey().setName("transaction.version").setMinVersionLevel((short) 1).setMaxVersionLevel((short) 2));
    golden("ApiVersionsResponse", 3, new ApiVersionsResponseData().setApiKeys(keys).setThrottleTimeMs(7)
        .setSupportedFeatures(supported).setFinalizedFeaturesEpoch(12).setFinalizedFeatures(finalized));

    golden("MetadataRequest", 9, new MetadataRequestData().setAllowAutoTopicCreation(false).setTopics(List.of(
        new MetadataRequestData.MetadataRequestTopic().setName("orders"), new MetadataRequestData.MetadataRequestTopic().setName("zürich"))));
    golden("MetadataRequestAll", 9, new MetadataRequestData().setAllowAutoTopicCreation(false).setTopics(null));
    var brokers = new MetadataResponseData.MetadataResponseBrokerCollection();
    brokers.add(new MetadataResponseData.MetadataResponseBroker().setNodeId(1).setHost("kafka-1").setPort(9092).setRack("a"));
    brokers.add(new MetadataResponseData.MetadataResponseBroker().setNodeId(2).setHost("kafka-2").setPort(9093));
    var topics = new MetadataResponseData.MetadataResponseTopicCollection();
    topics.add(new MetadataResponseData.MetadataResponseTopic().setName("orders").setPartitions(List.of(
        new MetadataResponseData.MetadataResponsePartition().setPartitionIndex(1).setLeaderId(2).setLeaderEpoch(5).setReplicaNodes(List.of(2, 1)).setIsrNodes(List.of(2)).setOfflineReplicas(List.of(1)),
        new MetadataResponseData.MetadataResponsePartition().setPartitionIndex(0).setErrorCode((short) 5).setLeaderId(-1).setReplicaNodes(List.of(1)).setIsrNodes(List.of()))));
    topics.add(new MetadataResponseData.MetadataResponseTopic().setName("missing").setErrorCode((short) 3));
    golden("MetadataResponse", 9, new MetadataResponseData().setThrottleTimeMs(1).setClusterId("cluster").setControllerId(2).setBrokers(brokers).setTopics(topics));

    golden("FindCoordinatorRequest", 3, new FindCoordinatorRequestData().setKey("tx-1").setKeyType((byte) 1));
    golden("FindCoordinatorResponse", 3, new FindCoordinatorResponseData().setThrottleTimeMs(2).setErrorCode((short) 15).setErrorMessage("none yet").setNodeId(-1).setHost("").setPort(-1));
  }

  static void goldensOfTransactions() {
    golden("InitProducerIdRequest", 4, new InitProducerIdRequestData().setTransactionalId("tx-1").setTransactionTimeoutMs(10000).setProducerId(4611686018427387905L).setProducerEpoch((short) 3));
    golden("InitProducerIdRequestIdempotent", 4, new InitProducerIdRequestData().setTransactionalId(null).setTransactionTimeoutMs(60000));
    golden("InitProducerIdResponse", 4, new InitProducerIdResponseData().setThrottleTimeMs(3).setErrorCode((short) 51).setProducerId(4611686018427387905L).setProducerEpoch((short) 4));

    var addTopics = new AddPartitionsToTxnRequestData.AddPartitionsToTxnTopicCollection();
    addTopics.add(new AddPartitionsToTxnRequestData.AddPartitionsToTxnTopic().setName("orders").setPartitions(List.of(0, 7)));
    golden("AddPartitionsToTxnRequest", 3, new AddPartitionsToTxnRequestData().setV3AndBelowTransactionalId("tx-1").setV3AndBelowProducerId(9).setV3AndBelowProducerEpoch((short) 2).setV3AndBelowTopics(addTopics));
    var partitionResults = new AddPartitionsToTxnResponseData.AddPartitionsToTxnPartitionResultCollection();
    partitionResults.add(new AddPartitionsToTxnResponseData.AddPartitionsToTxnPartitionResult().setPartitionIndex(7).setPartitionErrorCode((short) 51));
    var topicResults = new AddPartitionsToTxnResponseData.AddPartitionsToTxnTopicResultCollection();
    topicResults.add(new AddPartitionsToTxnResponseData.AddPartitionsToTxnTopicResult().setName("orders").setResultsByPartition(partitionResults));
    golden("AddPartitionsToTxnResponse", 3, new AddPartitionsToTxnResponseData().setThrottleTimeMs(4).setResultsByTopicV3AndBelow(topicResults));

    golden("AddOffsetsToTxnRequest", 3, new AddOffsetsToTxnRequestData().setTransactionalId("tx-1").setProducerId(9).setProducerEpoch((short) 2).setGroupId("group"));
    golden("AddOffsetsToTxnResponse", 3, new AddOffsetsToTxnResponseData().setThrottleTimeMs(5).setErrorCode((short) 90));

    var commit = new TxnOffsetCommitRequestData().setTransactionalId("tx-1").setGroupId("group").setProducerId(9).setProducerEpoch((short) 2)
        .setGenerationId(5).setMemberId("member").setGroupInstanceId("instance").setTopics(List.of(new TxnOffsetCommitRequestData.TxnOffsetCommitRequestTopic().setName("orders").setPartitions(List.of(
            new TxnOffsetCommitRequestData.TxnOffsetCommitRequestPartition().setPartitionIndex(1).setCommittedOffset(9007199254740991L).setCommittedMetadata("eos1:{}"),
            new TxnOffsetCommitRequestData.TxnOffsetCommitRequestPartition().setPartitionIndex(2).setCommittedOffset(0).setCommittedMetadata(null)))));
    golden("TxnOffsetCommitRequestV3", 3, commit);
    golden("TxnOffsetCommitRequestV5", 5, commit);
    golden("TxnOffsetCommitResponse", 5, new TxnOffsetCommitResponseData().setThrottleTimeMs(6).setTopics(List.of(new TxnOffsetCommitResponseData.TxnOffsetCommitResponseTopic().setName("orders").setPartitions(List.of(
        new TxnOffsetCommitResponseData.TxnOffsetCommitResponsePartition().setPartitionIndex(1).setErrorCode((short) 22))))));

    golden("EndTxnRequestV3", 3, new EndTxnRequestData().setTransactionalId("tx-1").setProducerId(9).setProducerEpoch((short) 2).setCommitted(false));
    golden("EndTxnRequestV5", 5, new EndTxnRequestData().setTransactionalId("tx-1").setProducerId(9).setProducerEpoch((short) 2).setCommitted(true));
    golden("EndTxnResponseV3", 3, new EndTxnResponseData().setThrottleTimeMs(8).setErrorCode((short) 47));
    golden("EndTxnResponseV5", 5, new EndTxnResponseData().setThrottleTimeMs(8).setProducerId(10).setProducerEpoch((short) 0));
  }

  static MemoryRecords records(String value) {
    return MemoryRecords.withRecords(RecordBatch.MAGIC_VALUE_V2, 0L, org.apache.kafka.common.compress.Compression.NONE, TimestampType.CREATE_TIME, 7L, (short) 1, 0, -1, true,
        new SimpleRecord(1700000000000L, "key".getBytes(), value.getBytes()));
  }

  static void goldensOfRecords() {
    golden("RecordsA", 0, new RawMessage(records("a")));
    golden("RecordsB", 0, new RawMessage(records("bb")));
    var data = new ProduceRequestData.TopicProduceDataCollection();
    data.add(new ProduceRequestData.TopicProduceData().setName("orders").setPartitionData(List.of(
        new ProduceRequestData.PartitionProduceData().setIndex(0).setRecords(records("a")),
        new ProduceRequestData.PartitionProduceData().setIndex(3).setRecords(records("bb")))));
    data.add(new ProduceRequestData.TopicProduceData().setName("audit").setPartitionData(List.of(
        new ProduceRequestData.PartitionProduceData().setIndex(1).setRecords(records("a")))));
    var produce = new ProduceRequestData().setTransactionalId("tx-1").setAcks((short) -1).setTimeoutMs(30000).setTopicData(data);
    golden("ProduceRequestV9", 9, produce);
    golden("ProduceRequestV12", 12, produce);
    var responses = new ProduceResponseData.TopicProduceResponseCollection();
    responses.add(new ProduceResponseData.TopicProduceResponse().setName("orders").setPartitionResponses(List.of(
        new ProduceResponseData.PartitionProduceResponse().setIndex(0).setBaseOffset(42).setLogAppendTimeMs(-1).setLogStartOffset(1),
        new ProduceResponseData.PartitionProduceResponse().setIndex(3).setErrorCode((short) 87).setBaseOffset(-1).setErrorMessage("bad batch")
            .setRecordErrors(List.of(new ProduceResponseData.BatchIndexAndErrorMessage().setBatchIndex(2).setBatchIndexErrorMessage("bad record")))
            .setCurrentLeader(new ProduceResponseData.LeaderIdAndEpoch().setLeaderId(2).setLeaderEpoch(9)))));
    var nodes = new ProduceResponseData.NodeEndpointCollection();
    nodes.add(new ProduceResponseData.NodeEndpoint().setNodeId(2).setHost("kafka-2").setPort(9092));
    golden("ProduceResponseV12", 12, new ProduceResponseData().setResponses(responses).setThrottleTimeMs(9).setNodeEndpoints(nodes));

    golden("FetchRequest", 11, new FetchRequestData().setReplicaId(-1).setMaxWaitMs(500).setMinBytes(1).setMaxBytes(52428800).setIsolationLevel((byte) 1).setSessionId(0).setSessionEpoch(-1).setRackId("a")
        .setTopics(List.of(new FetchRequestData.FetchTopic().setTopic("orders").setPartitions(List.of(
            new FetchRequestData.FetchPartition().setPartition(1).setFetchOffset(100).setPartitionMaxBytes(1048576))))));
    golden("FetchResponse", 11, new FetchResponseData().setThrottleTimeMs(10).setSessionId(5).setResponses(List.of(new FetchResponseData.FetchableTopicResponse().setTopic("orders").setPartitions(List.of(
        new FetchResponseData.PartitionData().setPartitionIndex(1).setHighWatermark(200).setLastStableOffset(150).setLogStartOffset(10)
            .setAbortedTransactions(List.of(new FetchResponseData.AbortedTransaction().setProducerId(7).setFirstOffset(120))).setPreferredReadReplica(3).setRecords(records("a")),
        new FetchResponseData.PartitionData().setPartitionIndex(2).setErrorCode((short) 1).setHighWatermark(-1).setAbortedTransactions(null).setRecords(null))))));

    golden("ListOffsetsRequest", 7, new ListOffsetsRequestData().setReplicaId(-1).setIsolationLevel((byte) 1).setTopics(List.of(new ListOffsetsRequestData.ListOffsetsTopic().setName("orders").setPartitions(List.of(
        new ListOffsetsRequestData.ListOffsetsPartition().setPartitionIndex(0).setTimestamp(-1),
        new ListOffsetsRequestData.ListOffsetsPartition().setPartitionIndex(1).setTimestamp(1700000000000L))))));
    golden("ListOffsetsResponse", 7, new ListOffsetsResponseData().setThrottleTimeMs(11).setTopics(List.of(new ListOffsetsResponseData.ListOffsetsTopicResponse().setName("orders").setPartitions(List.of(
        new ListOffsetsResponseData.ListOffsetsPartitionResponse().setPartitionIndex(0).setOffset(77).setTimestamp(-1).setLeaderEpoch(4),
        new ListOffsetsResponseData.ListOffsetsPartitionResponse().setPartitionIndex(1).setErrorCode((short) 6))))));
  }

  static void goldensOfGroups() {
    golden("OffsetCommitRequest", 8, new OffsetCommitRequestData().setGroupId("group").setGenerationIdOrMemberEpoch(5).setMemberId("member").setGroupInstanceId(null)
        .setTopics(List.of(new OffsetCommitRequestData.OffsetCommitRequestTopic().setName("orders").setPartitions(List.of(
            new OffsetCommitRequestData.OffsetCommitRequestPartition().setPartitionIndex(1).setCommittedOffset(12).setCommittedMetadata("m"))))));
    golden("OffsetCommitResponse", 8, new OffsetCommitResponseData().setThrottleTimeMs(12).setTopics(List.of(new OffsetCommitResponseData.OffsetCommitResponseTopic().setName("orders").setPartitions(List.of(
        new OffsetCommitResponseData.OffsetCommitResponsePartition().setPartitionIndex(1).setErrorCode((short) 25))))));
    golden("OffsetFetchRequest", 7, new OffsetFetchRequestData().setGroupId("group").setRequireStable(true).setTopics(List.of(
        new OffsetFetchRequestData.OffsetFetchRequestTopic().setName("orders").setPartitionIndexes(List.of(0, 1)))));
    golden("OffsetFetchRequestAll", 7, new OffsetFetchRequestData().setGroupId("group").setRequireStable(false).setTopics(null));
    golden("OffsetFetchResponse", 7, new OffsetFetchResponseData().setThrottleTimeMs(13).setErrorCode((short) 0).setTopics(List.of(new OffsetFetchResponseData.OffsetFetchResponseTopic().setName("orders").setPartitions(List.of(
        new OffsetFetchResponseData.OffsetFetchResponsePartition().setPartitionIndex(0).setCommittedOffset(5).setCommittedLeaderEpoch(3).setMetadata("m"),
        new OffsetFetchResponseData.OffsetFetchResponsePartition().setPartitionIndex(1).setCommittedOffset(-1).setMetadata(null).setErrorCode((short) 88))))));

    var protocols = new JoinGroupRequestData.JoinGroupRequestProtocolCollection();
    protocols.add(new JoinGroupRequestData.JoinGroupRequestProtocol().setName("range").setMetadata(new byte[] {0, 1, 2}));
    golden("JoinGroupRequest", 7, new JoinGroupRequestData().setGroupId("group").setSessionTimeoutMs(45000).setRebalanceTimeoutMs(60000).setMemberId("").setGroupInstanceId("instance").setProtocolType("consumer").setProtocols(protocols));
    golden("JoinGroupResponse", 7, new JoinGroupResponseData().setThrottleTimeMs(14).setGenerationId(6).setProtocolType("consumer").setProtocolName("range").setLeader("member").setMemberId("member")
        .setMembers(List.of(new JoinGroupResponseData.JoinGroupResponseMember().setMemberId("member").setGroupInstanceId(null).setMetadata(new byte[] {9}))));
    golden("JoinGroupResponseMemberIdRequired", 7, new JoinGroupResponseData().setErrorCode((short) 79).setProtocolType(null).setProtocolName(null).setLeader("").setMemberId("member-7"));
    golden("SyncGroupRequest", 5, new SyncGroupRequestData().setGroupId("group").setGenerationId(6).setMemberId("member").setGroupInstanceId(null).setProtocolType("consumer").setProtocolName("range")
        .setAssignments(List.of(new SyncGroupRequestData.SyncGroupRequestAssignment().setMemberId("member").setAssignment(new byte[] {4, 5}))));
    golden("SyncGroupResponse", 5, new SyncGroupResponseData().setThrottleTimeMs(15).setProtocolType("consumer").setProtocolName("range").setAssignment(new byte[] {4, 5}));
    golden("HeartbeatRequest", 4, new HeartbeatRequestData().setGroupId("group").setGenerationId(6).setMemberId("member").setGroupInstanceId(null));
    golden("HeartbeatResponse", 4, new HeartbeatResponseData().setThrottleTimeMs(16).setErrorCode((short) 27));
    golden("LeaveGroupRequest", 4, new LeaveGroupRequestData().setGroupId("group").setMembers(List.of(new LeaveGroupRequestData.MemberIdentity().setMemberId("member").setGroupInstanceId(null))));
    golden("LeaveGroupResponse", 4, new LeaveGroupResponseData().setThrottleTimeMs(17).setMembers(List.of(new LeaveGroupResponseData.MemberResponse().setMemberId("member").setGroupInstanceId(null).setErrorCode((short) 25))));
  }

  /** Behind their version, as members send them inside JoinGroup. */
  static void subscription(String name, int version, ConsumerProtocolSubscription subscription) {
    LINES.add("  \"" + name + "\": \"" + HexFormat.of().formatHex(MessageUtil.toVersionPrefixedBytes((short) version, subscription)) + "\"");
  }

  static void goldensOfSubscriptions() {
    var owned = new ConsumerProtocolSubscription.TopicPartitionCollection();
    owned.add(new ConsumerProtocolSubscription.TopicPartition().setTopic("audit").setPartitions(List.of(0)));
    owned.add(new ConsumerProtocolSubscription.TopicPartition().setTopic("orders").setPartitions(List.of(0, 2)));
    var whole = new ConsumerProtocolSubscription().setTopics(List.of("audit", "orders")).setUserData(ByteBuffer.wrap(new byte[] {1, 2, 3}))
        .setOwnedPartitions(owned).setGenerationId(7).setRackId(null);
    for (int version = 0; version <= 3; version++) subscription("SubscriptionV" + version, version, whole);
    subscription("SubscriptionV3First", 3, new ConsumerProtocolSubscription().setTopics(List.of("in")).setUserData(null));
  }

  static void goldensOfAdmin() {
    var configs = new CreateTopicsRequestData.CreatableTopicConfigCollection();
    configs.add(new CreateTopicsRequestData.CreatableTopicConfig().setName("cleanup.policy").setValue("compact"));
    var topics = new CreateTopicsRequestData.CreatableTopicCollection();
    topics.add(new CreateTopicsRequestData.CreatableTopic().setName("orders").setNumPartitions(6).setReplicationFactor((short) 3).setConfigs(configs));
    golden("CreateTopicsRequest", 5, new CreateTopicsRequestData().setTopics(topics).setTimeoutMs(30000).setValidateOnly(false));
    var created = new CreateTopicsResponseData.CreatableTopicResultCollection();
    created.add(new CreateTopicsResponseData.CreatableTopicResult().setName("orders").setNumPartitions(6).setReplicationFactor((short) 3)
        .setConfigs(List.of(new CreateTopicsResponseData.CreatableTopicConfigs().setName("cleanup.policy").setValue("compact").setConfigSource((byte) 1))));
    created.add(new CreateTopicsResponseData.CreatableTopicResult().setName("audit").setErrorCode((short) 36).setErrorMessage("exists").setTopicConfigErrorCode((short) 29).setConfigs(null));
    golden("CreateTopicsResponse", 5, new CreateTopicsResponseData().setThrottleTimeMs(18).setTopics(created));
    golden("DeleteTopicsRequest", 5, new DeleteTopicsRequestData().setTopicNames(List.of("orders", "audit")).setTimeoutMs(30000));
    var deleted = new DeleteTopicsResponseData.DeletableTopicResultCollection();
    deleted.add(new DeleteTopicsResponseData.DeletableTopicResult().setName("orders").setErrorCode((short) 3).setErrorMessage("unknown"));
    golden("DeleteTopicsResponse", 5, new DeleteTopicsResponseData().setThrottleTimeMs(19).setResponses(deleted));
    var grown = new CreatePartitionsRequestData.CreatePartitionsTopicCollection();
    grown.add(new CreatePartitionsRequestData.CreatePartitionsTopic().setName("orders").setCount(12).setAssignments(null));
    golden("CreatePartitionsRequest", 2, new CreatePartitionsRequestData().setTopics(grown).setTimeoutMs(30000));
    golden("CreatePartitionsResponse", 2, new CreatePartitionsResponseData().setThrottleTimeMs(20).setResults(List.of(new CreatePartitionsResponseData.CreatePartitionsTopicResult().setName("orders").setErrorCode((short) 37).setErrorMessage("fewer"))));
    golden("DescribeConfigsRequest", 4, new DescribeConfigsRequestData().setResources(List.of(
        new DescribeConfigsRequestData.DescribeConfigsResource().setResourceType((byte) 2).setResourceName("orders").setConfigurationKeys(null),
        new DescribeConfigsRequestData.DescribeConfigsResource().setResourceType((byte) 4).setResourceName("1").setConfigurationKeys(List.of("transaction.max.timeout.ms")))));
    golden("DescribeConfigsResponse", 4, new DescribeConfigsResponseData().setThrottleTimeMs(21).setResults(List.of(new DescribeConfigsResponseData.DescribeConfigsResult().setResourceType((byte) 4).setResourceName("1")
        .setConfigs(List.of(new DescribeConfigsResponseData.DescribeConfigsResourceResult().setName("transaction.max.timeout.ms").setValue("900000").setConfigSource((byte) 5).setConfigType((byte) 5).setDocumentation("d")
            .setSynonyms(List.of(new DescribeConfigsResponseData.DescribeConfigsSynonym().setName("s").setValue("900000").setSource((byte) 5))),
            new DescribeConfigsResponseData.DescribeConfigsResourceResult().setName("ssl.key.password").setValue(null).setReadOnly(true).setIsSensitive(true).setConfigSource((byte) 4))))));
  }

  /** Record bytes alone, so that the test can put them into a request. */
  static final class RawMessage extends EmptyMessage {
    RawMessage(MemoryRecords records) { super(records.buffer()); }
  }

  static class EmptyMessage implements Message {
    private final ByteBuffer bytes;
    EmptyMessage(ByteBuffer bytes) { this.bytes = bytes.duplicate(); }
    public short lowestSupportedVersion() { return 0; }
    public short highestSupportedVersion() { return 0; }
    public void addSize(MessageSizeAccumulator size, ObjectSerializationCache cache, short version) { size.addBytes(bytes.remaining()); }
    public void write(Writable writable, ObjectSerializationCache cache, short version) { writable.writeByteBuffer(bytes.duplicate()); }
    public void read(org.apache.kafka.common.protocol.Readable readable, short version) { throw new UnsupportedOperationException(); }
    public List<org.apache.kafka.common.protocol.types.RawTaggedField> unknownTaggedFields() { return new ArrayList<>(); }
    public Message duplicate() { return this; }
  }
}
