/** The functions that a user's SQL may call on Spark: those that compute from their arguments and reach nothing else. */

/**
 * Left out on purpose: what runs code or reads elsewhere (reflect, java_method, transform with a script, from_avro, ai_*),
 * and what tells of server, session and files (input_file_name, current_user, version, spark_partition_id).
 */
const NAMES = `
  abs acos acosh add_months aggregate any any_value approx_count_distinct approx_percentile array array_agg array_append
  array_compact array_contains array_distinct array_except array_insert array_intersect array_join array_max array_min
  array_position array_prepend array_remove array_repeat array_size array_sort array_union arrays_overlap arrays_zip ascii
  asin asinh atan atan2 atanh avg base64 bigint bin bit_and bit_count bit_length bit_or bit_xor bool_and bool_or boolean
  bround btrim cardinality cast cbrt ceil ceiling char char_length character_length chr coalesce collect_list collect_set
  concat concat_ws contains conv convert_timezone corr cos cosh cot count count_if covar_pop covar_samp crc32 csc cume_dist
  current_date current_timestamp date date_add date_diff date_format date_from_unix_date date_part date_sub date_trunc
  dateadd datediff datepart day dayname dayofmonth dayofweek dayofyear decimal decode degrees dense_rank double element_at
  elt encode endswith equal_null every exists exp explode_outer expm1 extract factorial filter find_in_set first first_value
  flatten float floor forall format_number from_json from_unixtime from_utc_timestamp get get_json_object getbit greatest
  grouping hash hex hour hypot if ifnull ilike initcap instr int is_variant_null isnan isnotnull isnull json_array_length
  json_object_keys kurtosis lag last last_day last_value lcase lead least left len length levenshtein like listagg ln
  localtimestamp locate log log10 log1p log2 lower lpad ltrim luhn_check make_date make_timestamp map map_concat
  map_contains_key map_entries map_filter map_from_arrays map_from_entries map_keys map_values mask max max_by md5 mean median
  min min_by minute mod mode month monthname months_between named_struct nanvl negative next_day now nth_value ntile nullif
  nullifzero numeric nvl nvl2 octet_length overlay parse_json percent_rank percentile percentile_approx percentile_cont
  percentile_disc pi pmod position positive pow power printf quarter radians rand randn random rank reduce regexp_count
  regexp_extract regexp_extract_all regexp_instr regexp_like regexp_replace regexp_substr regr_avgx regr_avgy regr_count
  regr_intercept regr_r2 regr_slope regr_sxx regr_sxy regr_syy repeat replace reverse right rint rlike round row_number rpad
  rtrim sec second sequence sha sha1 sha2 shiftleft shiftright shuffle sign signum sin sinh size skewness slice smallint some
  sort_array soundex space split split_part sqrt startswith std stddev stddev_pop stddev_samp string string_agg struct substr
  substring substring_index sum tan tanh timestamp timestamp_micros timestamp_millis timestamp_seconds tinyint to_char
  to_date to_json to_number to_timestamp to_unix_timestamp to_utc_timestamp translate trim trunc try_add try_avg try_cast
  try_divide try_element_at try_multiply try_parse_json try_subtract try_sum try_to_date try_to_number try_to_timestamp
  try_variant_get typeof ucase unbase64 unhex unix_date unix_micros unix_millis unix_seconds unix_timestamp upper url_decode
  url_encode uuid var_pop var_samp varchar variance variant_get weekday weekofyear width_bucket xxhash64 year zeroifnull
  zip_with`

const ALLOWED: ReadonlySet<string> = new Set(NAMES.trim().split(/\s+/))

export function isFunctionAllowed(name: string): boolean {
  return ALLOWED.has(name)
}
