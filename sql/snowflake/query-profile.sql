-- title: Where a statement spent its time
-- grain: an operator of a statement that has ended, in the last 14 days
-- definition: percent is the operator's part of the execution. It needs MONITOR or OPERATE on the warehouse that ran it.
-- param: query text required "the id of the statement; lpa query statements lists them"
--
-- Written by the documentation of Snowflake: the emulator has none of this, and no account was at hand to run it.
select step_id as step, operator_id as operator, array_to_string(parent_operators, ', ') as parents, operator_type as type,
  cast(operator_attributes:table_name as varchar) as table_name,
  floor(cast(execution_time_breakdown:overall_percentage as double) * 1000 + 0.5) / 10 as percent,
  cast(operator_statistics:input_rows as number(38, 0)) as input_rows,
  cast(operator_statistics:output_rows as number(38, 0)) as output_rows,
  cast(operator_statistics:pruning.partitions_scanned as number(38, 0)) as partitions_scanned,
  cast(operator_statistics:pruning.partitions_total as number(38, 0)) as partitions_total,
  cast(operator_statistics:spilling.bytes_spilled_local_storage as number(38, 0)) as bytes_spilled
from table(get_query_operator_stats($query))
order by step_id, operator_id
