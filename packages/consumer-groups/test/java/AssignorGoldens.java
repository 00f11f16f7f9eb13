// Writes src/assignors/java-assignments.json: groups at random (from fixed seeds), and what Kafka's own assignors make of them.
//
//   java -cp '<folder with kafka-clients-4.3.1.jar and its dependencies>/*' AssignorGoldens.java > ../../src/assignors/java-assignments.json
//
// A case is {counts, members, range, roundrobin, sticky}. `counts` has the partitions by topic, a member is
// [memberId, groupInstanceId, topics, generation in the subscription, user data of StickyAssignor in base64], and a result
// has by topic the owner of each partition, one digit for each: an index into `members`. `sticky` is null where StickyAssignor
// fails, breaks its own contract, or never comes to an end.
import java.util.*;
import java.util.concurrent.*;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.apache.kafka.clients.consumer.*;
import org.apache.kafka.clients.consumer.ConsumerPartitionAssignor.*;
import org.apache.kafka.clients.consumer.internals.AbstractPartitionAssignor;
import org.apache.kafka.common.TopicPartition;

public class AssignorGoldens {
  static final List<String> TOPICS = List.of("orders", "audit", "flights", "a", "clicks.v2", "Z-index");
  /** Groups in which a rule decides that seldom does: partitions that went back and forth, and the order of a grown hash table. */
  static final List<Integer> RARE = List.of(735, 6201, 6203, 13093, 17071, 17809, 20493, 26587);
  static Random random;

  public static void main(String[] args) {
    // StickyAssignor logs what it makes of conflicting claims, and log4j's default is stdout.
    System.setProperty("org.apache.logging.log4j.level", "OFF");
    List<String> cases = new ArrayList<>();
    for (int seed = 0; seed < 292; seed++) cases.add(group(seed));
    for (int seed : RARE) cases.add(group(seed));
    System.out.println("[\n" + String.join(",\n", cases) + "\n]");
  }

  static String group(int seed) {
    random = new Random(seed);
    // Some have many partitions, so that the hash tables in StickyAssignor grow.
    int most = seed % 11 > 0 ? 13 : seed % 3 > 0 ? 45 : 150;
    TreeMap<String, Integer> counts = new TreeMap<>();
    for (String topic : TOPICS) if (random.nextInt(4) > 0) counts.put(topic, random.nextInt(most));

    boolean equal = seed % 2 == 0;
    TreeSet<String> ids = new TreeSet<>();
    int memberCount = 1 + random.nextInt(8);
    while (ids.size() < memberCount) ids.add("consumer-" + Integer.toString(random.nextInt(1 << 30), 36));
    List<String> same = topics();
    boolean disturbed = random.nextInt(3) > 0;
    int generation = random.nextInt(3) == 0 ? -1 : 7;
    Map<TopicPartition, String> previous = previousAssignment(counts, ids);

    // Sorted, and put in that order: where HashMap's own order leaves something open, it is the order of member ids.
    LinkedHashMap<String, Subscription> members = new LinkedHashMap<>();
    for (String id : ids) {
      List<String> topics = equal ? same : topics();
      List<TopicPartition> owned = previous.entrySet().stream().filter(e -> e.getValue().equals(id)).map(Map.Entry::getKey).collect(Collectors.toCollection(ArrayList::new));
      int claimedIn = generation;
      int subscribedIn = generation;
      if (generation >= 0 && disturbed) {
        if (random.nextInt(2) == 0) claimedIn = subscribedIn = generation - random.nextInt(4);
        if (random.nextInt(6) == 0) subscribedIn = -1;
        // Claims of what others have, in this generation or an older one.
        for (TopicPartition partition : previous.keySet()) if (random.nextInt(5) == 0 && !owned.contains(partition)) owned.add(partition);
      }
      boolean isNew = generation < 0 || random.nextInt(5) == 0;
      Subscription subscription = new Subscription(topics, isNew ? null : userData(topics, owned, claimedIn, id), List.of(), subscribedIn, Optional.empty());
      subscription.setGroupInstanceId(random.nextInt(3) == 0 ? Optional.of("instance-" + random.nextInt(1000)) : Optional.empty());
      members.put(id, subscription);
    }

    return "{\"counts\":{" + counts.entrySet().stream().map(e -> "\"" + e.getKey() + "\":" + e.getValue()).collect(Collectors.joining(","))
        + "},\"members\":[" + members.entrySet().stream().map(e -> member(e.getKey(), e.getValue())).collect(Collectors.joining(","))
        + "],\"range\":" + owners(new RangeAssignor(), counts, members)
        + ",\"roundrobin\":" + owners(new RoundRobinAssignor(), counts, members)
        + ",\"sticky\":" + sticky(counts, members) + "}";
  }

  static List<String> topics() {
    List<String> topics = new ArrayList<>(TOPICS);
    Collections.shuffle(topics, random);
    return topics.subList(0, random.nextInt(12) == 0 ? 0 : 1 + random.nextInt(4));
  }

  /** Some partitions have no owner, some belong to a member that has left, and some topics are gone. */
  static Map<TopicPartition, String> previousAssignment(Map<String, Integer> counts, Set<String> ids) {
    List<String> owners = new ArrayList<>(ids);
    owners.add("left");
    Map<TopicPartition, String> previous = new LinkedHashMap<>();
    // From one in six to all of them belong to the first ones.
    int skew = random.nextInt(6);
    for (String topic : TOPICS) {
      int count = counts.getOrDefault(topic, 3);
      for (int partition = 0; partition < count; partition++) {
        int owner = random.nextInt(random.nextInt(6) < skew ? (owners.size() + 2) / 3 : owners.size());
        if (random.nextInt(6) > 0) previous.put(new TopicPartition(topic, partition), owners.get(owner));
      }
    }
    return previous;
  }

  static java.nio.ByteBuffer userData(List<String> topics, List<TopicPartition> owned, int generation, String id) {
    StickyAssignor assignor = new StickyAssignor();
    assignor.onAssignment(new Assignment(owned), new ConsumerGroupMetadata("group", generation, id, Optional.empty()));
    return assignor.subscriptionUserData(new HashSet<>(topics));
  }

  static String member(String id, Subscription subscription) {
    return "[\"" + id + "\"," + subscription.groupInstanceId().map(instance -> "\"" + instance + "\"").orElse("null")
        + ",[" + subscription.topics().stream().map(topic -> "\"" + topic + "\"").collect(Collectors.joining(","))
        + "]," + subscription.generationId().orElse(-1)
        + "," + (subscription.userData() == null ? "null" : "\"" + Base64.getEncoder().encodeToString(subscription.userData().duplicate().array()) + "\"") + "]";
  }

  static String sticky(Map<String, Integer> counts, LinkedHashMap<String, Subscription> members) {
    FutureTask<String> task = new FutureTask<>(() -> owners(new StickyAssignor(), counts, members));
    Thread thread = new Thread(task);
    thread.setDaemon(true);
    thread.start();
    try {
      return task.get(3, TimeUnit.SECONDS);
    } catch (ExecutionException | TimeoutException | InterruptedException error) {
      return "null";
    }
  }

  /** Checks the contract: every partition of a subscribed topic goes to exactly one member, which subscribes to it. */
  static String owners(AbstractPartitionAssignor assignor, Map<String, Integer> counts, LinkedHashMap<String, Subscription> members) {
    Set<String> subscribed = members.values().stream().flatMap(subscription -> subscription.topics().stream()).collect(Collectors.toSet());
    // As the consumer does it: topics without a subscriber or without partitions are not in the map.
    Map<String, Integer> partitionsPerTopic = new HashMap<>();
    counts.forEach((topic, count) -> { if (count > 0 && subscribed.contains(topic)) partitionsPerTopic.put(topic, count); });
    // The consumer's own map: its order depends on its size when it was made.
    Map<String, Subscription> subscriptions = new HashMap<>();
    members.forEach(subscriptions::put);
    Map<String, List<TopicPartition>> assigned = assignor.assign(partitionsPerTopic, subscriptions);

    List<String> ids = new ArrayList<>(members.keySet());
    TreeMap<String, int[]> owners = new TreeMap<>();
    partitionsPerTopic.forEach((topic, count) -> { int[] none = new int[count]; Arrays.fill(none, -1); owners.put(topic, none); });
    assigned.forEach((id, partitions) -> {
      for (TopicPartition partition : partitions) {
        if (!members.get(id).topics().contains(partition.topic())) throw new IllegalStateException("not subscribed");
        int[] ofTopic = owners.get(partition.topic());
        if (ofTopic[partition.partition()] != -1) throw new IllegalStateException("two owners");
        ofTopic[partition.partition()] = ids.indexOf(id);
      }
    });
    if (owners.values().stream().flatMapToInt(IntStream::of).anyMatch(owner -> owner < 0)) throw new IllegalStateException("no owner");
    return "{" + owners.entrySet().stream().map(e -> "\"" + e.getKey() + "\":\"" + IntStream.of(e.getValue()).mapToObj(Integer::toString).collect(Collectors.joining()) + "\"").collect(Collectors.joining(",")) + "}";
  }
}
