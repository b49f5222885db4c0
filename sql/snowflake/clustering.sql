-- title: How well the facts are clustered
-- grain: a table that lpa clusters
-- definition: Of its micro-partitions: how many there are, how many hold one value of the key only, with how many others one
--   overlaps in the mean, and how deep they overlap (1 is best). depths counts micro-partitions by that depth. A depth that
--   grows while few partitions are constant: queries by date read more and more of the table. It is asked of the key that
--   lpa gives the table; clustering_key is the one that it has, if any.
-- table: table_name, clustering_key, partitions, constant_partitions, overlaps, depth
--
-- Written by the documentation of Snowflake: the emulator has none of this, and no account was at hand to run it.
with asked as (
  select 'core.fact_enrollment' as table_name,
    parse_json(system$clustering_information('core.fact_enrollment', '(enrolled_date_key, course_key)')) as told
  union all
  select 'core.fact_learning_event', parse_json(system$clustering_information('core.fact_learning_event', '(date_key, course_key)'))
  union all
  select 'core.fact_course_completion', parse_json(system$clustering_information('core.fact_course_completion', '(completed_date_key, course_key)'))
  union all
  select 'core.agg_course_day', parse_json(system$clustering_information('core.agg_course_day', '(date_key, course_key)'))
)
select a.table_name, t.clustering_key,
  cast(a.told:total_partition_count as number(38, 0)) as partitions,
  cast(a.told:total_constant_partition_count as number(38, 0)) as constant_partitions,
  cast(a.told:average_overlaps as double) as overlaps, cast(a.told:average_depth as double) as depth,
  a.told:partition_depth_histogram as depths, cast(a.told:notes as varchar) as notes
from asked a
left join information_schema.tables t on t.table_schema = 'CORE' and 'core.' || lower(t.table_name) = a.table_name
order by a.table_name
