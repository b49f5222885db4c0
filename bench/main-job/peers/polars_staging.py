"""Campus exports as typed, pseudonymised frames of Polars. Shared by the job in Polars and the one in dlt."""

import json
from collections.abc import Callable, Iterator
from typing import NamedTuple

import polars as pl
from pseudonyms import id_key, pseudonym

TEXTS = ["event_id", "event_type", "learner_id", "course_id", "activity_id", "activity_type", "session_id"]
NUMBERS = ["duration_seconds", "score", "progress", "quantity"]
# What is in an object has to be named; lpa and DuckDB take attributes as they are.
ATTRIBUTES = pl.Struct(
    {
        **dict.fromkeys(["mode", "network", "query", "verb"], pl.String),
        **dict.fromkeys(["position", "speed"], pl.Float64),
        "device": pl.Struct({"type": pl.String, "os": pl.String}),
    }
)
EVENT = pl.Struct({**dict.fromkeys([*TEXTS, "occurred_at", *NUMBERS], pl.String), "attributes": ATTRIBUTES})
LINES_AT_ONCE = 200_000


class Replaced:
    """A column with something else in place of each value, which is made once for each."""

    def __init__(self, make: Callable[[str], object], dtype: type[pl.DataType]) -> None:
        self._make, self._dtype = make, dtype
        self._known: dict[str, object] = {}

    def __call__(self, column: pl.Expr) -> pl.Expr:
        return column.map_batches(self._replace, return_dtype=self._dtype)

    def _replace(self, values: pl.Series) -> pl.Series:
        known, distinct = self._known, values.drop_nulls().unique()
        for value in distinct:
            if value not in known:
                known[value] = self._make(value)
        made = pl.Series([known[value] for value in distinct], dtype=self._dtype)
        return values.replace_strict(distinct, made, default=None, return_dtype=self._dtype)


learner = Replaced(lambda clear: pseudonym("learner:campus", clear), pl.String)
instructor = Replaced(lambda clear: pseudonym("instructor:campus", clear), pl.String)
email = Replaced(lambda clear: pseudonym("email:", clear), pl.String)
course_key = Replaced(lambda value: id_key("course", value), pl.Int64)
category_key = Replaced(lambda value: id_key("category", value), pl.Int64)


def person_key(column: str) -> pl.Expr:
    return pl.col(column).str.slice(0, 15).str.to_integer(base=16, dtype=pl.Int64)


def date_key(column: str) -> pl.Expr:
    at = pl.col(column).dt
    return at.year() * 10000 + at.month().cast(pl.Int32) * 100 + at.day().cast(pl.Int32)


def instant(column: str) -> pl.Expr:
    return pl.col(column).str.to_datetime("%Y-%m-%dT%H:%M:%S%.fZ", time_unit="us", strict=False)


def rosters(exports: str) -> dict[str, pl.DataFrame]:
    """Staged tables by name."""

    def csv(name: str) -> pl.DataFrame:
        # Rows with too many fields are cut, those with too few have nulls and fall out where a field is needed.
        return pl.read_csv(f"{exports}/{name}.csv", infer_schema=False, truncate_ragged_lines=True)

    courses = pl.DataFrame(json.load(open(f"{exports}/courses.json", encoding="utf-8")), infer_schema_length=None)
    return {
        "stg_learner": csv("learners")
        .select(
            learner(pl.col("learner_id").str.strip_chars()),
            email(pl.col("email").str.strip_chars().str.to_lowercase()).alias("email_hash"),
            *["country", "region", "gender", "education_level", "plan"],
            pl.col("birth_date").str.slice(0, 4).cast(pl.Int32, strict=False).alias("birth_year"),
            pl.col("signed_up_on").str.to_date("%Y-%m-%d", strict=False),
            instant("updated_at").alias("effective_at"),
        )
        .with_columns(person_key("learner_id").alias("learner_key")),
        "stg_course_category": csv("categories").with_columns(
            category_key(pl.col("category_id")).alias("category_key"),
            category_key(pl.col("parent_category_id")).alias("parent_category_key"),
        ),
        "stg_instructor": csv("instructors").with_columns(instructor(pl.col("instructor_id"))),
        "stg_course": courses.drop("co_instructor_ids")
        .with_columns(
            course_key(pl.col("course_id")).alias("course_key"),
            category_key(pl.col("category_id")).alias("category_key"),
            instructor(pl.col("instructor_id")),
            instant("updated_at"),
        )
        .with_columns(person_key("instructor_id").alias("instructor_key")),
        "stg_enrollment": csv("enrollments")
        .with_columns(
            learner(pl.col("learner_id").str.strip_chars()),
            course_key(pl.col("course_id")).alias("course_key"),
            *[instant(column) for column in ["enrolled_at", "withdrawn_at"]],
            pl.col("price_amount").cast(pl.Decimal(12, 2), strict=False),
            instant("updated_at").alias("effective_at"),
        )
        .with_columns(person_key("learner_id").alias("learner_key")),
        "stg_course_completion": csv("completions")
        .with_columns(
            learner(pl.col("learner_id").str.strip_chars()),
            course_key(pl.col("course_id")).alias("course_key"),
            instant("completed_at"),
            pl.col("final_score").cast(pl.Float64, strict=False),
            pl.col("passed") == "true",
        )
        .with_columns(person_key("learner_id").alias("learner_key")),
    }


class Staged(NamedTuple):
    events: pl.DataFrame
    raw: pl.DataFrame
    rejected: pl.DataFrame


def events(exports: str) -> Iterator[Staged]:
    """The event log, some lines at a time."""
    lines = pl.scan_csv(
        f"{exports}/events.ndjson", has_header=False, new_columns=["line"], separator="\x01", quote_char=None, infer_schema=False
    )
    for batch in lines.collect_batches(chunk_size=LINES_AT_ONCE):
        yield _staged(*_decoded(batch.get_column("line")))


def _decoded(lines: pl.Series) -> tuple[pl.DataFrame, int]:
    """The events of a batch, and how many of its lines are no JSON. One of these is an error to Polars, without its place."""
    likely = lines.filter(lines.str.ends_with("}"))
    try:
        events = likely.str.json_decode(EVENT)
    except pl.exceptions.ComputeError:
        likely = likely.filter(pl.Series([_is_json(line) for line in likely]))
        events = likely.str.json_decode(EVENT)
    as_json = pl.when(pl.col("attributes").is_not_null()).then(pl.col("attributes").struct.json_encode())
    return events.struct.unnest().with_columns(attributes=as_json), len(lines) - len(likely)


def _is_json(line: str) -> bool:
    try:
        json.loads(line)
    except ValueError:
        return False
    return True


def _staged(decoded: pl.DataFrame, broken: int) -> Staged:
    number = {name: pl.col(name).cast(pl.Float64, strict=False) for name in NUMBERS}
    clear = decoded.with_columns(learner(pl.col("learner_id").str.strip_chars()), occurred_text=pl.col("occurred_at"))
    rows = clear.with_columns(
        instant("occurred_at"),
        person_key("learner_id").alias("learner_key"),
        course_key(pl.col("course_id")).fill_null(0).alias("course_key"),
        fault=pl.when(pl.col("event_id").is_null())
        .then(pl.lit("event_id"))
        .when(pl.col("learner_id").is_null())
        .then(pl.lit("learner_id"))
        .when(instant("occurred_at").is_null())
        .then(pl.lit("occurred_at"))
        .when(number["duration_seconds"].is_null() & pl.col("duration_seconds").is_not_null())
        .then(pl.lit("duration"))
        .when(~number["score"].is_between(0, 1))
        .then(pl.lit("score"))
        .when(~number["progress"].is_between(0, 1))
        .then(pl.lit("progress")),
        payload=_payload(),
    )
    good, bad = rows.filter(pl.col("fault").is_null()), rows.filter(pl.col("fault").is_not_null())
    rejected = bad.select("event_id", reason="fault", payload="payload")
    no_json = pl.DataFrame({"event_id": [None] * broken, "reason": ["json"] * broken, "payload": [None] * broken}, rejected.schema)
    return Staged(
        good.with_columns(
            date_key("occurred_at").alias("date_key"), **number
        ).with_columns(pl.col("quantity").fill_null(1)).drop("occurred_text", "fault", "payload"),
        good.select("payload"),
        pl.concat([rejected, no_json]),
    )


def _payload() -> pl.Expr:
    """What is kept of an event as it came, with the pseudonym in place of the learner."""
    numbers = [pl.col(name).cast(pl.Float64, strict=False) for name in NUMBERS]
    flat = pl.struct(*TEXTS, pl.col("occurred_text").alias("occurred_at"), *numbers).struct.json_encode()
    attributes = pl.col("attributes").fill_null("null")
    return pl.concat_str(flat.str.strip_suffix("}"), pl.lit(',"attributes":'), attributes, pl.lit("}"))
