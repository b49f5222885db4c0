-- title: Take away the offsets that a commit moves on
-- definition: those that are where it took them to be
delete from meta.stream_offsets
where source = $source
  and exists (
    select 1 from stream_claim c
    where c.topic = stream_offsets.topic and c.partition = stream_offsets.partition
      and c.topic_id = stream_offsets.topic_id and c.stored_offset = stream_offsets.next_offset
  )
