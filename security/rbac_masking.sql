-- Who may see what, in Snowflake. Made by scripts/rbac.ts from security/*.yaml: change those, not this.
-- lpa grant apply runs the same statements in the same order, and compares before: prefer it. A DBA may run them instead,
-- after lpa schema apply, in the database of the connection: put in its name for lpa (lpa.policy, database lpa), and your
-- warehouse for lpa_wh. lpa grant plan then finds nothing to do, and lpa grant apply or lpa batch fills policy.allowed_rows: until
-- then row rules show nothing.
-- Needs Enterprise Edition (tags, masking and row access policies), and a role that owns the tables, with
--   grant create role on account, grant manage grants on account,
--   grant apply tag on account, grant apply masking policy on account, grant apply row access policy on account,
--   grant create schema on database lpa.
-- The emulator of lpa's tests has recorded this, and sqlfluff has read it: no Snowflake account has run it.
-- Note: lpa_dashboard: Snowflake hides no counts of fewer than 10 learners, so the role gets no table there.

-- Where the objects of the policy are. Nobody but their owner needs to see them.

create schema if not exists policy;

-- Users’ attributes, who was given a role, and which rows each user may see: lpa keeps them.

create table if not exists policy.user_values (user_name varchar not null, attribute varchar not null, value varchar not null);
create table if not exists policy.given_roles (user_name varchar not null, role_name varchar not null);
create table if not exists policy.row_rules (rule_name varchar not null, attribute varchar not null, allowed varchar not null);
create table if not exists policy.allowed_rows (rule_name varchar not null, user_name varchar not null, value varchar not null);
create table if not exists policy.builders (role_name varchar not null);
create table if not exists policy.revealers (role_name varchar not null);

-- Roles. The comment says that lpa made them.

create role if not exists lpa_admin comment = 'lpa: Answers for the warehouse and its policy.';
create role if not exists lpa_analyst comment = 'lpa: Answers questions with SQL, about a region or about all.';
create role if not exists lpa_dashboard comment = 'lpa: Screens and reports that anybody may look at; nobody can be told from their numbers.';
create role if not exists lpa_engineer comment = 'lpa: Loads, builds and repairs. Sees every row.';
create role if not exists lpa_instructor comment = 'lpa: Teaches. Sees the own courses and who is in them.';

-- Tags. Those of whole tables that masks look at are apart, since columns take over the tags of their table.

create tag if not exists policy.classification allowed_values 'internal', 'personal', 'public', 'sensitive' comment = 'lpa: How far a value may go.';
create tag if not exists policy.classification_of_table allowed_values 'internal', 'personal', 'public', 'sensitive' comment = 'lpa: How far a value may go.';
create tag if not exists policy.retention allowed_values 'one_year', 'study_period', 'unlimited' comment = 'lpa: How long rows are kept.';
create tag if not exists policy.subject allowed_values 'instructor', 'learner' comment = 'lpa: Whom it is about.';

-- Masks: one for each tag or mask, and type. Roles in the condition see the value itself.

create masking policy if not exists policy.mask_email_hashes_text as (val varchar) returns varchar -> case when not (is_role_in_session('LPA_ADMIN') or is_role_in_session('LPA_ENGINEER')) then left(val, 8) else val end comment = 'lpa: made by lpa grant apply of security/' exempt_other_policies = true;
create masking policy if not exists policy.mask_learner_ids_text as (val varchar) returns varchar -> case when not (is_role_in_session('LPA_ADMIN') or is_role_in_session('LPA_ENGINEER') or is_role_in_session('LPA_INSTRUCTOR')) then sha2(val, 256) else val end comment = 'lpa: made by lpa grant apply of security/' exempt_other_policies = true;
create masking policy if not exists policy.mask_payloads_text as (val varchar) returns varchar -> case when not (is_role_in_session('LPA_ADMIN') or is_role_in_session('LPA_ENGINEER')) then null else val end comment = 'lpa: made by lpa grant apply of security/' exempt_other_policies = true;
create masking policy if not exists policy.mask_payloads_variant as (val variant) returns variant -> case when not (is_role_in_session('LPA_ADMIN') or is_role_in_session('LPA_ENGINEER')) then null else val end comment = 'lpa: made by lpa grant apply of security/' exempt_other_policies = true;
create masking policy if not exists policy.mask_prices_number_12_2 as (val number(12,2)) returns number(12,2) -> case when not (is_role_in_session('LPA_ADMIN') or is_role_in_session('LPA_ANALYST') or is_role_in_session('LPA_ENGINEER')) then floor(val / 50) * 50 else val end comment = 'lpa: made by lpa grant apply of security/' exempt_other_policies = true;
create masking policy if not exists policy.mask_signup_days_date as (val date) returns date -> case when not (is_role_in_session('LPA_ADMIN') or is_role_in_session('LPA_ENGINEER')) then date_trunc('month', val) else val end comment = 'lpa: made by lpa grant apply of security/' exempt_other_policies = true;
create masking policy if not exists policy.mask_trait_hashes_text as (val varchar) returns varchar -> case when not (is_role_in_session('LPA_ADMIN') or is_role_in_session('LPA_ENGINEER')) then null else val end comment = 'lpa: made by lpa grant apply of security/' exempt_other_policies = true;
create masking policy if not exists policy.tag_classification_text as (val varchar) returns varchar -> case when system$get_tag_on_current_column('lpa.policy.classification') = 'personal' and not (is_role_in_session('LPA_ADMIN') or is_role_in_session('LPA_ENGINEER')) then iff(val is null, null, '***') when system$get_tag_on_current_column('lpa.policy.classification') = 'sensitive' and not (is_role_in_session('LPA_ADMIN') or is_role_in_session('LPA_ANALYST') or is_role_in_session('LPA_ENGINEER')) then null else val end comment = 'lpa: made by lpa grant apply of security/' exempt_other_policies = true;
create masking policy if not exists policy.tag_classification_variant as (val variant) returns variant -> case when system$get_tag_on_current_column('lpa.policy.classification') = 'personal' and not (is_role_in_session('LPA_ADMIN') or is_role_in_session('LPA_ENGINEER')) then null when system$get_tag_on_current_column('lpa.policy.classification') = 'sensitive' and not (is_role_in_session('LPA_ADMIN') or is_role_in_session('LPA_ANALYST') or is_role_in_session('LPA_ENGINEER')) then null else val end comment = 'lpa: made by lpa grant apply of security/' exempt_other_policies = true;

-- Row rules: who is not of these roles sees all rows; the others those that are looked up.

create row access policy if not exists policy.rows_own_courses_number as (v1 number(38,0)) returns boolean -> (not (is_role_in_session('LPA_INSTRUCTOR')) or v1::varchar in (select value from lpa.policy.allowed_rows where rule_name = 'own_courses' and user_name = current_user())) comment = 'lpa: made by lpa grant apply of security/';
create row access policy if not exists policy.rows_own_courses_number_and_own_region_number as (v1 number(38,0), v2 number(38,0)) returns boolean -> (not (is_role_in_session('LPA_INSTRUCTOR')) or v1::varchar in (select value from lpa.policy.allowed_rows where rule_name = 'own_courses' and user_name = current_user())) and (not (is_role_in_session('LPA_ADMIN') or is_role_in_session('LPA_ANALYST') or is_role_in_session('LPA_ENGINEER')) or is_role_in_session('LPA_ADMIN') or is_role_in_session('LPA_ENGINEER') or v2::varchar in (select value from lpa.policy.allowed_rows where rule_name = 'own_region' and user_name = current_user())) comment = 'lpa: made by lpa grant apply of security/';
create row access policy if not exists policy.rows_own_learners_own_region_number as (v1 number(38,0)) returns boolean -> (not (is_role_in_session('LPA_INSTRUCTOR')) or v1::varchar in (select value from lpa.policy.allowed_rows where rule_name = 'own_learners' and user_name = current_user())) and (not (is_role_in_session('LPA_ADMIN') or is_role_in_session('LPA_ANALYST') or is_role_in_session('LPA_ENGINEER')) or is_role_in_session('LPA_ADMIN') or is_role_in_session('LPA_ENGINEER') or v1::varchar in (select value from lpa.policy.allowed_rows where rule_name = 'own_region' and user_name = current_user())) comment = 'lpa: made by lpa grant apply of security/';

-- From here on rows are filtered: before anybody is granted anything.

alter table core.agg_course_day add row access policy policy.rows_own_courses_number on (course_key);
alter table core.dim_course add row access policy policy.rows_own_courses_number on (course_key);
alter table core.dim_learner add row access policy policy.rows_own_learners_own_region_number on (learner_key);
alter table core.fact_course_completion add row access policy policy.rows_own_courses_number_and_own_region_number on (course_key, learner_key);
alter table core.fact_enrollment add row access policy policy.rows_own_courses_number_and_own_region_number on (course_key, learner_key);
alter table core.fact_learning_event add row access policy policy.rows_own_courses_number_and_own_region_number on (course_key, learner_key);
alter table staging.stg_course add row access policy policy.rows_own_courses_number on (course_key);
alter table staging.stg_course_completion add row access policy policy.rows_own_courses_number_and_own_region_number on (course_key, learner_key);
alter table staging.stg_enrollment add row access policy policy.rows_own_courses_number_and_own_region_number on (course_key, learner_key);
alter table staging.stg_learner add row access policy policy.rows_own_learners_own_region_number on (learner_key);
alter table staging.stg_learning_event add row access policy policy.rows_own_courses_number_and_own_region_number on (course_key, learner_key);

-- From here on columns are masked. What has the tag, now or later, is masked by its value.

alter tag policy.classification set masking policy policy.tag_classification_text;
alter tag policy.classification set masking policy policy.tag_classification_variant;

-- Masks of columns that are named; they come before those of a tag.

alter table core.dim_learner modify column email_hash set masking policy policy.mask_email_hashes_text;
alter table core.dim_learner modify column learner_id set masking policy policy.mask_learner_ids_text;
alter table core.dim_learner modify column signed_up_on set masking policy policy.mask_signup_days_date;
alter table core.fact_enrollment modify column price_amount set masking policy policy.mask_prices_number_12_2;
alter table raw.raw_learning_events modify column payload set masking policy policy.mask_payloads_variant;
alter table raw.rejected_rows modify column payload set masking policy policy.mask_payloads_text;
alter table staging.stg_course_completion modify column learner_id set masking policy policy.mask_learner_ids_text;
alter table staging.stg_enrollment modify column learner_id set masking policy policy.mask_learner_ids_text;
alter table staging.stg_enrollment modify column price_amount set masking policy policy.mask_prices_number_12_2;
alter table staging.stg_learner modify column content_hash set masking policy policy.mask_trait_hashes_text;
alter table staging.stg_learner modify column email_hash set masking policy policy.mask_email_hashes_text;
alter table staging.stg_learner modify column learner_id set masking policy policy.mask_learner_ids_text;
alter table staging.stg_learner modify column signed_up_on set masking policy policy.mask_signup_days_date;
alter table staging.stg_learning_event modify column learner_id set masking policy policy.mask_learner_ids_text;

-- What tables hold, and how long.

alter table core.agg_course_day set tag policy.classification_of_table = 'internal';
alter table core.bridge_course_instructor set tag policy.classification_of_table = 'internal';
alter table core.dim_course set tag policy.classification_of_table = 'public';
alter table core.dim_course_category set tag policy.classification_of_table = 'public';
alter table core.dim_date set tag policy.classification_of_table = 'public';
alter table core.dim_instructor set tag policy.classification_of_table = 'internal';
alter table core.dim_learner set tag policy.classification_of_table = 'sensitive';
alter table core.fact_course_completion set tag policy.classification_of_table = 'internal';
alter table core.fact_enrollment set tag policy.classification_of_table = 'internal';
alter table core.fact_learning_event set tag policy.classification_of_table = 'internal';
alter table meta.built_loads set tag policy.classification_of_table = 'internal';
alter table meta.checks set tag policy.classification_of_table = 'internal';
alter table meta.erased set tag policy.classification_of_table = 'internal';
alter table meta.load_entities set tag policy.classification_of_table = 'internal';
alter table meta.load_files set tag policy.classification_of_table = 'internal';
alter table meta.loads set tag policy.classification_of_table = 'internal';
alter table meta.policy_objects set tag policy.classification_of_table = 'internal';
alter table meta.runs set tag policy.classification_of_table = 'internal';
alter table meta.schema_changes set tag policy.classification_of_table = 'internal';
alter table meta.stream_offsets set tag policy.classification_of_table = 'internal';
alter table raw.raw_learning_events set tag policy.classification_of_table = 'sensitive';
alter table raw.rejected_rows set tag policy.classification_of_table = 'sensitive';
alter table staging.stg_course set tag policy.classification_of_table = 'public';
alter table staging.stg_course_category set tag policy.classification_of_table = 'public';
alter table staging.stg_course_completion set tag policy.classification_of_table = 'internal';
alter table staging.stg_deletion set tag policy.classification_of_table = 'internal';
alter table staging.stg_enrollment set tag policy.classification_of_table = 'internal';
alter table staging.stg_instructor set tag policy.classification_of_table = 'internal';
alter table staging.stg_learner set tag policy.classification_of_table = 'sensitive';
alter table staging.stg_learning_event set tag policy.classification_of_table = 'internal';
alter table core.agg_course_day set tag policy.retention = 'unlimited';
alter table core.bridge_course_instructor set tag policy.retention = 'study_period';
alter table core.dim_course set tag policy.retention = 'unlimited';
alter table core.dim_course_category set tag policy.retention = 'unlimited';
alter table core.dim_date set tag policy.retention = 'unlimited';
alter table core.dim_instructor set tag policy.retention = 'study_period';
alter table core.dim_learner set tag policy.retention = 'study_period';
alter table core.fact_course_completion set tag policy.retention = 'study_period';
alter table core.fact_enrollment set tag policy.retention = 'study_period';
alter table core.fact_learning_event set tag policy.retention = 'study_period';
alter table meta.built_loads set tag policy.retention = 'unlimited';
alter table meta.checks set tag policy.retention = 'unlimited';
alter table meta.erased set tag policy.retention = 'unlimited';
alter table meta.load_entities set tag policy.retention = 'unlimited';
alter table meta.load_files set tag policy.retention = 'unlimited';
alter table meta.loads set tag policy.retention = 'unlimited';
alter table meta.policy_objects set tag policy.retention = 'unlimited';
alter table meta.runs set tag policy.retention = 'unlimited';
alter table meta.schema_changes set tag policy.retention = 'unlimited';
alter table meta.stream_offsets set tag policy.retention = 'unlimited';
alter table raw.raw_learning_events set tag policy.retention = 'one_year';
alter table raw.rejected_rows set tag policy.retention = 'one_year';
alter table staging.stg_course set tag policy.retention = 'unlimited';
alter table staging.stg_course_category set tag policy.retention = 'unlimited';
alter table staging.stg_course_completion set tag policy.retention = 'study_period';
alter table staging.stg_deletion set tag policy.retention = 'study_period';
alter table staging.stg_enrollment set tag policy.retention = 'study_period';
alter table staging.stg_instructor set tag policy.retention = 'study_period';
alter table staging.stg_learner set tag policy.retention = 'study_period';
alter table staging.stg_learning_event set tag policy.retention = 'study_period';
alter table core.agg_course_day set tag policy.subject = 'learner';
alter table core.bridge_course_instructor set tag policy.subject = 'instructor';
alter table core.dim_instructor set tag policy.subject = 'instructor';
alter table core.dim_learner set tag policy.subject = 'learner';
alter table core.fact_course_completion set tag policy.subject = 'learner';
alter table core.fact_enrollment set tag policy.subject = 'learner';
alter table core.fact_learning_event set tag policy.subject = 'learner';
alter table meta.erased set tag policy.subject = 'learner';
alter table raw.raw_learning_events set tag policy.subject = 'learner';
alter table raw.rejected_rows set tag policy.subject = 'learner';
alter table staging.stg_course_completion set tag policy.subject = 'learner';
alter table staging.stg_enrollment set tag policy.subject = 'learner';
alter table staging.stg_instructor set tag policy.subject = 'instructor';
alter table staging.stg_learner set tag policy.subject = 'learner';
alter table staging.stg_learning_event set tag policy.subject = 'learner';

-- What columns hold.

alter table core.dim_instructor modify column display_name set tag policy.classification = 'personal';
alter table core.dim_instructor modify column instructor_id set tag policy.classification = 'internal';
alter table core.dim_learner modify column age_band set tag policy.classification = 'sensitive';
alter table core.dim_learner modify column attributes set tag policy.classification = 'sensitive';
alter table core.dim_learner modify column country set tag policy.classification = 'sensitive';
alter table core.dim_learner modify column education_level set tag policy.classification = 'sensitive';
alter table core.dim_learner modify column email_hash set tag policy.classification = 'internal';
alter table core.dim_learner modify column gender set tag policy.classification = 'sensitive';
alter table core.dim_learner modify column learner_id set tag policy.classification = 'internal';
alter table core.dim_learner modify column region set tag policy.classification = 'sensitive';
alter table core.dim_learner modify column signed_up_on set tag policy.classification = 'internal';
alter table core.fact_course_completion modify column final_score set tag policy.classification = 'internal';
alter table core.fact_course_completion modify column grade set tag policy.classification = 'internal';
alter table core.fact_enrollment modify column price_amount set tag policy.classification = 'internal';
alter table core.fact_learning_event modify column attributes set tag policy.classification = 'sensitive';
alter table meta.erased modify column learner_id set tag policy.classification = 'internal';
alter table raw.raw_learning_events modify column payload set tag policy.classification = 'sensitive';
alter table raw.rejected_rows modify column payload set tag policy.classification = 'sensitive';
alter table staging.stg_course_completion modify column final_score set tag policy.classification = 'internal';
alter table staging.stg_course_completion modify column grade set tag policy.classification = 'internal';
alter table staging.stg_course_completion modify column learner_id set tag policy.classification = 'internal';
alter table staging.stg_enrollment modify column learner_id set tag policy.classification = 'internal';
alter table staging.stg_enrollment modify column price_amount set tag policy.classification = 'internal';
alter table staging.stg_instructor modify column display_name set tag policy.classification = 'personal';
alter table staging.stg_instructor modify column instructor_id set tag policy.classification = 'internal';
alter table staging.stg_learner modify column age_band set tag policy.classification = 'sensitive';
alter table staging.stg_learner modify column attributes set tag policy.classification = 'sensitive';
alter table staging.stg_learner modify column country set tag policy.classification = 'sensitive';
alter table staging.stg_learner modify column education_level set tag policy.classification = 'sensitive';
alter table staging.stg_learner modify column email_hash set tag policy.classification = 'internal';
alter table staging.stg_learner modify column gender set tag policy.classification = 'sensitive';
alter table staging.stg_learner modify column learner_id set tag policy.classification = 'internal';
alter table staging.stg_learner modify column region set tag policy.classification = 'sensitive';
alter table staging.stg_learner modify column signed_up_on set tag policy.classification = 'internal';
alter table staging.stg_learning_event modify column attributes set tag policy.classification = 'sensitive';
alter table staging.stg_learning_event modify column learner_id set tag policy.classification = 'internal';
alter table core.dim_instructor modify column display_name set tag policy.subject = 'instructor';
alter table core.dim_instructor modify column instructor_id set tag policy.subject = 'instructor';
alter table core.dim_learner modify column age_band set tag policy.subject = 'learner';
alter table core.dim_learner modify column attributes set tag policy.subject = 'learner';
alter table core.dim_learner modify column country set tag policy.subject = 'learner';
alter table core.dim_learner modify column education_level set tag policy.subject = 'learner';
alter table core.dim_learner modify column email_hash set tag policy.subject = 'learner';
alter table core.dim_learner modify column gender set tag policy.subject = 'learner';
alter table core.dim_learner modify column learner_id set tag policy.subject = 'learner';
alter table core.dim_learner modify column region set tag policy.subject = 'learner';
alter table core.dim_learner modify column signed_up_on set tag policy.subject = 'learner';
alter table core.fact_course_completion modify column final_score set tag policy.subject = 'learner';
alter table core.fact_course_completion modify column grade set tag policy.subject = 'learner';
alter table core.fact_enrollment modify column price_amount set tag policy.subject = 'learner';
alter table core.fact_learning_event modify column attributes set tag policy.subject = 'learner';
alter table meta.erased modify column learner_id set tag policy.subject = 'learner';
alter table raw.raw_learning_events modify column payload set tag policy.subject = 'learner';
alter table raw.rejected_rows modify column payload set tag policy.subject = 'learner';
alter table staging.stg_course_completion modify column final_score set tag policy.subject = 'learner';
alter table staging.stg_course_completion modify column grade set tag policy.subject = 'learner';
alter table staging.stg_course_completion modify column learner_id set tag policy.subject = 'learner';
alter table staging.stg_enrollment modify column learner_id set tag policy.subject = 'learner';
alter table staging.stg_enrollment modify column price_amount set tag policy.subject = 'learner';
alter table staging.stg_instructor modify column display_name set tag policy.subject = 'instructor';
alter table staging.stg_instructor modify column instructor_id set tag policy.subject = 'instructor';
alter table staging.stg_learner modify column age_band set tag policy.subject = 'learner';
alter table staging.stg_learner modify column attributes set tag policy.subject = 'learner';
alter table staging.stg_learner modify column country set tag policy.subject = 'learner';
alter table staging.stg_learner modify column education_level set tag policy.subject = 'learner';
alter table staging.stg_learner modify column email_hash set tag policy.subject = 'learner';
alter table staging.stg_learner modify column gender set tag policy.subject = 'learner';
alter table staging.stg_learner modify column learner_id set tag policy.subject = 'learner';
alter table staging.stg_learner modify column region set tag policy.subject = 'learner';
alter table staging.stg_learner modify column signed_up_on set tag policy.subject = 'learner';
alter table staging.stg_learning_event modify column attributes set tag policy.subject = 'learner';
alter table staging.stg_learning_event modify column learner_id set tag policy.subject = 'learner';

-- Grants.

grant usage on database lpa to role lpa_admin;
grant usage on warehouse lpa_wh to role lpa_admin;
grant usage on schema policy to role lpa_admin;
grant select on table policy.revealers to role lpa_admin;
grant usage on database lpa to role lpa_analyst;
grant usage on warehouse lpa_wh to role lpa_analyst;
grant usage on schema staging to role lpa_analyst;
grant select on all tables in schema staging to role lpa_analyst;
grant select on all views in schema staging to role lpa_analyst;
grant usage on schema core to role lpa_analyst;
grant select on all tables in schema core to role lpa_analyst;
grant select on all views in schema core to role lpa_analyst;
grant usage on schema meta to role lpa_analyst;
grant select on table meta.built_loads to role lpa_analyst;
grant select on table meta.checks to role lpa_analyst;
grant select on table meta.loads to role lpa_analyst;
grant select on table meta.stream_offsets to role lpa_analyst;
grant usage on schema raw to role lpa_analyst;
grant select on table raw.rejected_rows to role lpa_analyst;
grant usage on database lpa to role lpa_dashboard;
grant usage on warehouse lpa_wh to role lpa_dashboard;
grant usage on database lpa to role lpa_engineer;
grant usage on warehouse lpa_wh to role lpa_engineer;
grant usage on schema meta to role lpa_engineer;
grant select on all tables in schema meta to role lpa_engineer;
grant select on all views in schema meta to role lpa_engineer;
grant usage on schema raw to role lpa_engineer;
grant select on all tables in schema raw to role lpa_engineer;
grant select on all views in schema raw to role lpa_engineer;
grant usage on schema core to role lpa_engineer;
grant create table on schema core to role lpa_engineer;
grant create view on schema core to role lpa_engineer;
grant create stage on schema core to role lpa_engineer;
grant create sequence on schema core to role lpa_engineer;
grant select on all tables in schema core to role lpa_engineer;
grant insert on all tables in schema core to role lpa_engineer;
grant update on all tables in schema core to role lpa_engineer;
grant delete on all tables in schema core to role lpa_engineer;
grant select on all views in schema core to role lpa_engineer;
grant usage on schema policy to role lpa_engineer;
grant select on table policy.user_values to role lpa_engineer;
grant select on table policy.row_rules to role lpa_engineer;
grant select on table policy.allowed_rows to role lpa_engineer;
grant select on table policy.builders to role lpa_engineer;
grant insert on table policy.allowed_rows to role lpa_engineer;
grant delete on table policy.allowed_rows to role lpa_engineer;
grant create table on schema meta to role lpa_engineer;
grant create view on schema meta to role lpa_engineer;
grant create stage on schema meta to role lpa_engineer;
grant create sequence on schema meta to role lpa_engineer;
grant insert on all tables in schema meta to role lpa_engineer;
grant update on all tables in schema meta to role lpa_engineer;
grant delete on all tables in schema meta to role lpa_engineer;
grant read on stage meta.staged_files to role lpa_engineer;
grant write on stage meta.staged_files to role lpa_engineer;
grant usage on sequence meta.load_ids to role lpa_engineer;
grant create table on schema raw to role lpa_engineer;
grant create view on schema raw to role lpa_engineer;
grant create stage on schema raw to role lpa_engineer;
grant create sequence on schema raw to role lpa_engineer;
grant insert on all tables in schema raw to role lpa_engineer;
grant update on all tables in schema raw to role lpa_engineer;
grant delete on all tables in schema raw to role lpa_engineer;
grant usage on schema staging to role lpa_engineer;
grant create table on schema staging to role lpa_engineer;
grant create view on schema staging to role lpa_engineer;
grant create stage on schema staging to role lpa_engineer;
grant create sequence on schema staging to role lpa_engineer;
grant select on all tables in schema staging to role lpa_engineer;
grant insert on all tables in schema staging to role lpa_engineer;
grant update on all tables in schema staging to role lpa_engineer;
grant delete on all tables in schema staging to role lpa_engineer;
grant select on all views in schema staging to role lpa_engineer;
grant usage on database lpa to role lpa_instructor;
grant usage on warehouse lpa_wh to role lpa_instructor;
grant usage on schema core to role lpa_instructor;
grant select on all tables in schema core to role lpa_instructor;
grant select on all views in schema core to role lpa_instructor;
grant usage on schema meta to role lpa_instructor;
grant select on table meta.built_loads to role lpa_instructor;
grant select on table meta.checks to role lpa_instructor;
grant select on table meta.loads to role lpa_instructor;
grant select on table meta.stream_offsets to role lpa_instructor;
grant usage on schema raw to role lpa_instructor;
grant select on table raw.rejected_rows to role lpa_instructor;
grant usage on schema staging to role lpa_instructor;
grant select on view staging.live_course_completion to role lpa_instructor;
grant select on view staging.live_enrollment to role lpa_instructor;
grant select on table staging.stg_learning_event to role lpa_instructor;
grant usage on schema policy to role lpa_instructor;
grant select on table policy.revealers to role lpa_instructor;

-- Grants on what comes later. A schema’s own take the place of the database’s.

grant select on future tables in schema staging to role lpa_analyst;
grant select on future views in schema staging to role lpa_analyst;
grant select on future tables in schema core to role lpa_analyst;
grant select on future views in schema core to role lpa_analyst;
grant select on future tables in schema meta to role lpa_engineer;
grant select on future views in schema meta to role lpa_engineer;
grant select on future tables in schema raw to role lpa_engineer;
grant select on future views in schema raw to role lpa_engineer;
grant select on future tables in schema core to role lpa_engineer;
grant insert on future tables in schema core to role lpa_engineer;
grant update on future tables in schema core to role lpa_engineer;
grant delete on future tables in schema core to role lpa_engineer;
grant select on future views in schema core to role lpa_engineer;
grant insert on future tables in schema meta to role lpa_engineer;
grant update on future tables in schema meta to role lpa_engineer;
grant delete on future tables in schema meta to role lpa_engineer;
grant insert on future tables in schema raw to role lpa_engineer;
grant update on future tables in schema raw to role lpa_engineer;
grant delete on future tables in schema raw to role lpa_engineer;
grant select on future tables in schema staging to role lpa_engineer;
grant insert on future tables in schema staging to role lpa_engineer;
grant update on future tables in schema staging to role lpa_engineer;
grant delete on future tables in schema staging to role lpa_engineer;
grant select on future views in schema staging to role lpa_engineer;
grant select on future tables in schema core to role lpa_instructor;
grant select on future views in schema core to role lpa_instructor;

-- Roles that have what others have.

grant role lpa_engineer to role lpa_admin;
grant role lpa_analyst to role lpa_engineer;

-- What row rules select, for lpa to fill policy.allowed_rows.

insert into policy.row_rules values ('own_courses', 'instructor_id', 'select b.course_key from core.bridge_course_instructor b join core.dim_instructor i on i.instructor_key = b.instructor_key where i.instructor_id in (@values)');
insert into policy.row_rules values ('own_learners', 'instructor_id', 'select e.learner_key from core.fact_enrollment e join core.bridge_course_instructor b on b.course_key = e.course_key join core.dim_instructor i on i.instructor_key = b.instructor_key where i.instructor_id in (@values)');
insert into policy.row_rules values ('own_region', 'region', 'select l.learner_key from core.dim_learner l where l.is_current and (l.region in (@values) or ''*'' in (@values))');

-- Roles that see all that core is built from: lpa batch runs with one of them only.

insert into policy.builders values ('LPA_ADMIN');
insert into policy.builders values ('LPA_ENGINEER');

-- Roles that may see who a pseudonym is: lpa query --reveal.

insert into policy.revealers values ('LPA_ADMIN');
insert into policy.revealers values ('LPA_INSTRUCTOR');
