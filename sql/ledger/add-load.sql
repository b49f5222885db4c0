-- title: Note a load
-- definition: committed_at gives the order of commits, also when the clock was set back. What is older than now does not
--   matter, and is not read
insert into meta.loads
select $load_id, $source, $format, $uri, $content_sha256, $bytes, $read, $mapped, $rejected, $filtered, $doubled,
  $mapping_sha256, $key_id, null, cast($started_at as timestamp),
  coalesce(
    (select max(committed_at) + interval '1 microsecond' from meta.loads where committed_at >= cast($now as timestamp)),
    cast($now as timestamp)),
  $next_cursor
