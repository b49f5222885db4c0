-- title: From where streams go on
-- grain: a partition of a topic that was committed
-- definition: next_offset: the offset of the first message that is not in the warehouse yet; committed_at (UTC): when
--   it was moved on last, which a partition without new messages is not.
-- chart: bar x=place y=next_offset
-- cells: none
select source, topic || '-' || cast(partition as string) as place, next_offset, committed_at
from meta.stream_offsets
order by source nulls last, topic nulls last, partition nulls last, topic_id nulls last
