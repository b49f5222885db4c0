-- title: Learners
-- grain: a version of a learner (type 2), half-open in time: the first starts at 0001-01-01, the current ends at 9999-12-31
-- definition: a new version starts where a tracked column changes; email_hash and attributes are the latest in all versions (type 1),
--   with deleted = true where no state is newer than a deletion; a learner that only facts speak of is inferred
-- materialise: incremental key(learner_key) window(touched_learner)
with observed as (
  select learner_key, learner_id, email_hash, attributes, country, region, age_band, gender, education_level, signed_up_on,
    content_hash, effective_at
  from staging.stg_learner
  where learner_key in (select learner_key from touched_learner)  -- incremental
  qualify row_number() over (partition by learner_key, effective_at order by load_id desc nulls last, position desc nulls last) = 1
),
changed as (
  select learner_key, learner_id, country, region, age_band, gender, education_level, signed_up_on, effective_at
  from observed
  qualify content_hash is distinct from lag(content_hash) over (partition by learner_key order by effective_at nulls last)
),
latest as (
  select learner_key, email_hash, attributes
  from observed
  qualify row_number() over (partition by learner_key order by effective_at desc nulls last) = 1
),
live as (
  select distinct learner_key from staging.live_learner
  where learner_key in (select learner_key from touched_learner)  -- incremental
),
described as (
  select l.learner_key, l.email_hash, case
      when v.learner_key is not null then cast(l.attributes as string)
      when replace(cast(l.attributes as string), ' ', '') like '{"%' and replace(cast(l.attributes as string), ' ', '') not like '%"deleted":%'
        then '{"deleted":true,' || ltrim(substr(ltrim(cast(l.attributes as string)), 2))
      else '{"deleted":true}'
    end as attributes
  from latest l
  left join live v on v.learner_key = l.learner_key
),
mentioned as (
  select learner_key, learner_id from staging.stg_enrollment
  where load_id in (select load_id from batch_load) and learner_key in (select learner_key from touched_learner)  -- incremental
  union all select learner_key, learner_id from staging.stg_course_completion
  where load_id in (select load_id from batch_load) and learner_key in (select learner_key from touched_learner)  -- incremental
  union all select learner_key, learner_id from staging.stg_learning_event
  where load_id in (select load_id from batch_load) and learner_key in (select learner_key from touched_learner)  -- incremental
),
inferred as (
  select learner_key, min(learner_id) as learner_id
  from mentioned m
  where not exists (select 1 from observed o where o.learner_key = m.learner_key)
  group by learner_key
)
select c.learner_key, c.learner_id, l.email_hash, c.country, c.region, c.age_band, c.gender, c.education_level, c.signed_up_on,
  lpa_variant(l.attributes) as attributes,
  case when lag(c.effective_at) over (partition by c.learner_key order by c.effective_at nulls last) is null
    then timestamp '0001-01-01 00:00:00' else c.effective_at end as valid_from,
  coalesce(lead(c.effective_at) over (partition by c.learner_key order by c.effective_at nulls last), timestamp '9999-12-31 00:00:00') as valid_to,
  lead(c.effective_at) over (partition by c.learner_key order by c.effective_at nulls last) is null as is_current
from changed c
join described l on l.learner_key = c.learner_key
union all
select learner_key, learner_id, cast(null as string), cast(null as string), cast(null as string), cast(null as string), cast(null as string), cast(null as string), cast(null as date),
  lpa_variant('{"inferred":true}'), timestamp '0001-01-01 00:00:00', timestamp '9999-12-31 00:00:00', true
from inferred
union all
select 0, cast(null as string), cast(null as string), cast(null as string), cast(null as string), cast(null as string), cast(null as string), cast(null as string), cast(null as date),
  lpa_variant('{"none":true}'), timestamp '0001-01-01 00:00:00', timestamp '9999-12-31 00:00:00', true
where 0 in (select learner_key from touched_learner)  -- incremental
