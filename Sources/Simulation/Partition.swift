/// Which shard is home to which entity: fixed by the workload's size, never by the number of workers.
///
/// Neighbours go to different shards, so that a ramp that starts clients in their order loads all shards alike.
package struct Partition: Hashable, Sendable, BitwiseCopyable {
    package let entityCount: UInt32
    package let shardCount: UInt32

    /// Cuts `entityCount` entities into at most `shardCount` shards; there is always at least one.
    package init(entityCount: UInt32, shardCount: UInt32) {
        precondition(shardCount > 0, "a partition has a shard")
        self.entityCount = entityCount
        self.shardCount = max(1, min(shardCount, entityCount))
    }

    /// Cuts into as many shards as a machine's workers can share evenly, and no more: 32 where that gives each at least
    /// 128 entities, and one for each 4,096 where there are more, up to 256.
    ///
    /// A window is cheap for a shard that has several events in it: with hundreds of shards most have one or none.
    package init(entityCount: UInt32) {
        let count = max(entityCount / 4_096, min(32, entityCount / 128))
        self.init(entityCount: entityCount, shardCount: min(256, max(1, count)))
    }

    package func shard(of entity: UInt32) -> UInt32 {
        precondition(entity < entityCount, "the entity is of this partition")
        return entity % shardCount
    }

    /// The entity's place among those of its shard.
    package func localIndex(of entity: UInt32) -> UInt32 { entity / shardCount }

    package func entity(at localIndex: UInt32, of shard: UInt32) -> UInt32 { localIndex * shardCount + shard }

    package func count(of shard: UInt32) -> UInt32 {
        precondition(shard < shardCount, "the shard is of this partition")
        return (entityCount - shard + shardCount - 1) / shardCount
    }
}
