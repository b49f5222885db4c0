/** The functions that a user's SQL may call: those that compute from their arguments and reach nothing else. */

/**
 * Left out on purpose: what reads files, variables, settings or secrets (read_*, glob, getvariable, current_setting),
 * runs text as SQL (query, query_table, json_execute_serialized_sql), plans it (json_serialize_plan opens the files it
 * names), writes (write_log, nextval, setseed), waits (sleep_ms) or tells of the engine's inside (stats, pg_*, duckdb_*).
 */
const NAMES = `
  abs acos acosh add age ago any_value apply approx_count_distinct approx_quantile approx_top_k arbitrary arg_max
  arg_max_null arg_max_nulls_last arg_min arg_min_null arg_min_nulls_last argmax argmin ascii asin asinh atan atan2 atanh
  avg bar base64 bin bitstring bitstring_agg bool_and bool_or cardinality cbrt ceil ceiling century char_length
  character_length chr concat concat_ws contains corr cos cosh cot count count_if count_star countif covar_pop covar_samp
  cume_dist current_date current_localtime current_localtimestamp damerau_levenshtein date_add date_diff date_part date_sub
  date_trunc datediff datepart datesub datetrunc day dayname dayofmonth dayofweek dayofyear days_in_month decade decode
  degrees dense_rank divide editdist3 element_at encode ends_with entropy epoch epoch_ms epoch_ns epoch_us equi_width_bins
  era even exp factorial favg fdiv fill filter first first_value flatten floor fmod format format_bytes
  formatreadabledecimalsize formatreadablesize from_base64 from_binary from_hex from_json from_json_strict fsum gamma gcd
  gen_random_uuid generate_series generate_subscripts geomean geometric_mean get_bit get_current_time get_current_timestamp
  grade_up greatest greatest_common_divisor group_concat hamming hash hex histogram histogram_exact hour ilike_escape instr
  is_histogram_other_bin isfinite isinf isnan isodow isoyear jaccard jaro_similarity jaro_winkler_similarity json
  json_array json_array_length json_contains json_exists json_extract json_extract_path json_extract_path_text
  json_extract_string json_group_array json_group_object json_keys json_merge_patch json_object json_pretty json_quote
  json_structure json_transform json_transform_strict json_type json_valid json_value julian kahan_sum kurtosis
  kurtosis_pop lag last last_day last_value lcase lcm lead least least_common_multiple left left_grapheme len length
  length_grapheme levenshtein lgamma like_escape list listagg ln log log10 log2 lower lpad ltrim mad make_date make_time
  make_timestamp make_timestamp_ms make_timestamp_ns make_timestamptz map max max_by md5 md5_number md5_number_lower
  md5_number_upper mean median microsecond millennium millisecond min min_by minute mismatches mod mode month monthname
  multiply nanosecond nextafter nfc_normalize normalized_interval not_ilike_escape not_like_escape now nth_value ntile
  nullif octet_length ord parse_formatted_bytes percent_rank pi position pow power prefix printf product quantile
  quantile_cont quantile_disc quarter radians random range rank rank_dense reduce regexp_escape regexp_extract
  regexp_extract_all regexp_full_match regexp_matches regexp_replace regexp_split_to_array regexp_split_to_table repeat
  replace reservoir_quantile reverse right right_grapheme round round_even roundbankers row row_number row_to_json rpad
  rtrim second sem set_bit sha1 sha256 sign signbit sin sinh skewness split split_part sqrt starts_with stddev stddev_pop
  stddev_samp str_split str_split_regex strftime string_agg string_split string_split_regex string_to_array strip_accents
  strlen strpos strptime substr substring substring_grapheme subtract suffix sum sum_no_overflow sumkahan switch tan tanh
  time_bucket timezone timezone_hour timezone_minute today transaction_timestamp translate trim trunc try_strptime typeof
  ucase unbin unhex unicode unnest unlist unpivot_list upper url_decode url_encode uuid uuid_extract_timestamp
  uuid_extract_version uuidv4 uuidv7 var_pop var_samp variance variant_extract variant_typeof wavg week weekday weekofyear
  weighted_avg xor year yearweek`

const ALLOWED: ReadonlySet<string> = new Set(NAMES.trim().split(/\s+/))

// Families whose every member is a pure function of a value, and operators.
const FAMILY = /^(array|bit|enum|list|map|regr|struct|to|union)_(?!to_pg)[a-z0-9_]+$|^!__postfix$|^[^\w\s]+$/

export function isFunctionAllowed(name: string): boolean {
  const lower = name.toLowerCase()
  return ALLOWED.has(lower) || FAMILY.test(lower)
}

/**
 * Functions that make a table from their arguments. The others read files, catalogs or settings, or run text as SQL;
 * json_each and json_tree take a JSON value apart, which is what an analyst of events needs.
 */
const TABLE_FUNCTIONS: ReadonlySet<string> = new Set([
  'unnest',
  'range',
  'generate_series',
  'json_each',
  'json_tree',
])

export function isTableFunctionAllowed(name: string): boolean {
  return TABLE_FUNCTIONS.has(name.toLowerCase())
}
