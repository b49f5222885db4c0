-- title: Partitions of a commit that are not where it took them to be
-- definition: another run committed meanwhile; those that were where it took them to be are forgotten before this is asked
select c.topic, c.partition from stream_claim c
join meta.stream_offsets o
  on o.source = $source and o.topic = c.topic and o.partition = c.partition
