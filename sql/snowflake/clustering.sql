-- title: How well the facts are clustered
-- grain: a table with a clustering key
-- definition: Of its micro-partitions: how many there are, how many hold one value of the key only, with how many others one
--   overlaps in the mean, and how deep they overlap (1 is best). depths counts micro-partitions by that depth. A depth that
--   grows while few partitions are constant: queries by date read more and more of the table.
-- table: table_name, clustering_key, partitions, constant_partitions, overlaps, depth
--
-- Written by the documentation of Snowflake: the emulator has none of this, and no account was at hand to run it.
with asked as (
  select 'core.fact_enrollment' as table_name, parse_json(system$clustering_information('core.fact_enrollment')) as told
  union all
  select 'core.fact_learning_event', parse_json(system$clustering_information('core.fact_learning_event'))
  union all
  select 'core.fact_course_completion', parse_json(system$clustering_information('core.fact_course_completion'))
  union all
  select 'core.agg_course_day', parse_json(system$clustering_information('core.agg_course_day'))
)
select table_name, cast(told:cluster_by_keys as varchar) as clustering_key,
  cast(told:total_partition_count as number(38, 0)) as partitions,
  cast(told:total_constant_partition_count as number(38, 0)) as constant_partitions,
  cast(told:average_overlaps as double) as overlaps, cast(told:average_depth as double) as depth,
  told:partition_depth_histogram as depths, cast(told:notes as varchar) as notes
from asked
order by table_name
