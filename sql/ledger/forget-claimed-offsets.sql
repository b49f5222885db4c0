-- title: Take away the offsets that a commit moves on
delete from meta.stream_offsets
where source = $source
  and exists (
    select 1 from stream_claim c where c.topic = stream_offsets.topic and c.partition = stream_offsets.partition
  )
