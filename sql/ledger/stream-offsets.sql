-- title: From where a stream goes on
-- grain: a partition that was committed
select topic, topic_id, partition, next_offset from meta.stream_offsets where source = $source
