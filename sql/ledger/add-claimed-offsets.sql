-- title: Note from where a stream goes on
insert into meta.stream_offsets
select $source, topic, topic_id, partition, next_offset,
  cast($committed_at as timestamp)
from stream_claim
