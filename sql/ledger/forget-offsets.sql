-- title: Forget from where a stream goes on
delete from meta.stream_offsets where source = $source and topic = $topic
