import type { Assignor } from "@eos/client";
import { resolveClaims } from "./claims.ts";
import { assignDifferingSubscriptions } from "./differing-subscriptions.ts";
import { assignEqualSubscriptions } from "./equal-subscriptions.ts";
import { areSubscriptionsEqual, stickyGroup } from "./sticky-group.ts";
import { encodePreviousAssignment } from "./user-data.ts";

/**
 * Java's `StickyAssignor`, without racks: as balanced as the subscriptions allow, and of all such assignments one in
 * which members keep what they have. Members tell the leader what they have in their user data, in Java's encoding.
 *
 * Three things differ, where Java's result cannot be used: a member without topics makes the subscriptions differ,
 * whichever it is among the members; what a member had of a topic that was made anew with fewer partitions is
 * forgotten; and a partition never goes back to a member that has ceased to subscribe to it (which Java then moves away
 * again, at times without end).
 */
export const stickyAssignor: Assignor = {
  name: "sticky",
  userData(owned, generationId) {
    const isNew = owned.length === 0 && generationId < 0;
    return isNew ? null : encodePreviousAssignment({ partitions: owned, generationId });
  },
  assign(members, partitionCounts) {
    const group = stickyGroup(members, partitionCounts);
    const assign = areSubscriptionsEqual(group) ? assignEqualSubscriptions : assignDifferingSubscriptions;
    const memberIds = group.members.map(({ memberId }) => memberId);
    return group.partitions.assignments(memberIds, assign(group, resolveClaims(group)));
  },
};
