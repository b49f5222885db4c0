-- title: Partitions of a commit that are not where it took them to be
-- definition: another run committed meanwhile, or the offsets were reset
select c.topic, c.partition from stream_claim c
left join meta.stream_offsets o
  on o.source = $source and o.topic = c.topic and o.partition = c.partition
where o.next_offset is distinct from c.stored_offset
  or (o.topic_id is not null and o.topic_id <> c.topic_id)
