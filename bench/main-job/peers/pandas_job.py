"""The main job in pandas, over Arrow's types: staging and facts are Parquet files.

usage: python pandas_job.py EXPORTS FOLDER
Writes what it found as one line of JSON.
"""

import json
import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import orjson
import pandas as pd
from pseudonyms import id_key, person_key, pseudonym

exports, folder = sys.argv[1:]
staged, core = Path(folder, "staging"), Path(folder, "core")
TEXTS = ["event_id", "event_type", "learner_id", "course_id", "activity_id", "activity_type", "session_id"]
NUMBERS = ["duration_seconds", "score", "progress", "quantity"]
FIELDS = [*TEXTS, "occurred_at", *NUMBERS, "attributes"]
LINES_AT_ONCE = 200_000
SESSION_GAP_MS = 1_800_000
PAIR = ["learner_key", "course_key"]
LEARNERS: dict[str, str] = {}


def main() -> None:
    for path in [*[staged / name for name in ["events", "raw", "rejected"]], core]:
        path.mkdir(parents=True)
    rosters = stage_rosters()
    rejected = sum(stage_events(number, lines) for number, lines in enumerate(batches()))
    learners = rosters["stg_learner"].dropna(subset="learner_key")
    learners = learners.sort_values("effective_at", ascending=False).drop_duplicates("learner_key")
    courses = rosters["stg_course"].sort_values("updated_at", ascending=False).drop_duplicates("course_key")
    learners.to_parquet(core / "dim_learner.parquet", compression="zstd")
    courses.to_parquet(core / "dim_course.parquet", compression="zstd")
    rosters["stg_course_category"].to_parquet(core / "dim_course_category.parquet", compression="zstd")
    rosters["stg_instructor"].to_parquet(core / "dim_instructor.parquet", compression="zstd")
    enrolled = enrollments(rosters["stg_enrollment"])
    done = completions(rosters["stg_course_completion"], enrolled)
    counts = {"learners": len(learners), "courses": len(courses), "enrollments": len(enrolled), "completions": len(done)}
    answer = {**counts, "events": learning_events(), "rejected": rejected, "ranking": ranking(enrolled, done, courses)}
    print(json.dumps(answer))


def learner(clear: object) -> str | None:
    """Of the rosters and of the events: most learners are in both."""
    if not isinstance(clear, str):
        return None
    known = LEARNERS.get(clear)
    if known is None:
        known = LEARNERS[clear] = pseudonym("learner:campus", clear.strip())
    return known


def keys(values: pd.Series, make) -> pd.Series:
    """The key of each value, made once for each."""
    codes, distinct = pd.factorize(values)
    made = pd.array([make(value) for value in distinct], dtype="int64[pyarrow]")
    return pd.Series(made.take(codes, allow_fill=True), index=values.index)


def date_key(at: pd.Series) -> pd.Series:
    return (at.dt.year * 10000 + at.dt.month * 100 + at.dt.day).astype("int32[pyarrow]")


def instant(text: pd.Series) -> pd.Series:
    return pd.to_datetime(text, format="ISO8601", utc=True, errors="coerce").dt.tz_localize(None).astype("timestamp[us][pyarrow]")


def stage_rosters() -> dict[str, pd.DataFrame]:
    def csv(name: str) -> pd.DataFrame:
        return pd.read_csv(f"{exports}/{name}.csv", dtype="string[pyarrow]", on_bad_lines="skip", keep_default_na=False, na_values=[""])

    frames = {
        "stg_learner": csv("learners").drop(columns=["first_name", "last_name"]).assign(
            learner_id=lambda f: f.learner_id.map(learner).astype("string[pyarrow]"),
            learner_key=lambda f: keys(f.learner_id, person_key),
            email_hash=lambda f: f.email.str.strip().str.lower().map(lambda e: pseudonym("email:", e), na_action="ignore").astype("string[pyarrow]"),
            birth_year=lambda f: pd.to_numeric(f.birth_date.str.slice(0, 4), errors="coerce").astype("int32[pyarrow]"),
            signed_up_on=lambda f: pd.to_datetime(f.signed_up_on, format="%Y-%m-%d", errors="coerce").astype("date32[pyarrow]"),
            effective_at=lambda f: instant(f.updated_at),
        ).drop(columns=["email", "birth_date", "updated_at"]),
        "stg_course_category": csv("categories").assign(
            category_key=lambda f: keys(f.category_id, lambda v: id_key("category", v)),
            parent_category_key=lambda f: keys(f.parent_category_id, lambda v: id_key("category", v)),
        ),
        "stg_instructor": csv("instructors").assign(
            instructor_id=lambda f: f.instructor_id.map(lambda v: pseudonym("instructor:campus", v)).astype("string[pyarrow]"),
            instructor_key=lambda f: keys(f.instructor_id, person_key),
        ),
        "stg_course": pd.read_json(f"{exports}/courses.json", dtype_backend="pyarrow").drop(columns="co_instructor_ids").assign(
            course_key=lambda f: keys(f.course_id, lambda v: id_key("course", v)),
            category_key=lambda f: keys(f.category_id, lambda v: id_key("category", v)),
            instructor_id=lambda f: f.instructor_id.map(lambda v: pseudonym("instructor:campus", v), na_action="ignore").astype("string[pyarrow]"),
            instructor_key=lambda f: keys(f.instructor_id, person_key),
        ),
        "stg_enrollment": csv("enrollments").assign(
            learner_id=lambda f: f.learner_id.map(learner).astype("string[pyarrow]"),
            learner_key=lambda f: keys(f.learner_id, person_key),
            course_key=lambda f: keys(f.course_id, lambda v: id_key("course", v)),
            enrolled_at=lambda f: instant(f.enrolled_at),
            withdrawn_at=lambda f: instant(f.withdrawn_at),
            price_amount=lambda f: pd.to_numeric(f.price_amount, errors="coerce"),
            effective_at=lambda f: instant(f.updated_at),
        ).drop(columns="updated_at"),
        "stg_course_completion": csv("completions").assign(
            learner_id=lambda f: f.learner_id.map(learner).astype("string[pyarrow]"),
            learner_key=lambda f: keys(f.learner_id, person_key),
            course_key=lambda f: keys(f.course_id, lambda v: id_key("course", v)),
            completed_at=lambda f: instant(f.completed_at),
            final_score=lambda f: pd.to_numeric(f.final_score, errors="coerce"),
            passed=lambda f: f.passed == "true",
        ),
    }
    for name, frame in frames.items():
        frame.to_parquet(staged / f"{name}.parquet", compression="zstd")
    return frames


def batches() -> Iterator[list[bytes]]:
    with open(f"{exports}/events.ndjson", "rb") as lines:
        while batch := list(islice(lines, LINES_AT_ONCE)):
            yield batch


def stage_events(number: int, lines: list[bytes]) -> int:
    """Writes a batch; hands back how many of its records were rejected."""
    records, broken = [], 0
    for line in lines:
        try:
            record = orjson.loads(line)
        except orjson.JSONDecodeError:
            broken += 1
            continue
        attributes = record.get("attributes")
        kept = {name: record.get(name) for name in FIELDS}
        kept["learner_id"] = learner(kept["learner_id"])
        kept["payload"] = orjson.dumps(kept).decode()
        kept["attributes"] = None if attributes is None else orjson.dumps(attributes).decode()
        records.append(kept)
    # Its duration may be a text.
    texts = pd.DataFrame.from_records(records, columns=[*FIELDS, "payload"])
    rows = texts.assign(
        **{name: texts[name].astype("string[pyarrow]") for name in [*TEXTS, "attributes", "payload"]},
        **{name: pd.to_numeric(texts[name], errors="coerce").astype("double[pyarrow]") for name in NUMBERS},
        occurred_at=instant(texts.occurred_at),
        learner_key=lambda f: keys(f.learner_id, person_key),
        course_key=lambda f: keys(f.course_id, lambda v: id_key("course", v)).fillna(0),
    )
    reason = pd.Series(pd.NA, index=rows.index, dtype="string[pyarrow]")
    faults = {
        **{"progress": ~rows.progress.between(0, 1) & rows.progress.notna(), "score": ~rows.score.between(0, 1) & rows.score.notna()},
        **{"duration": rows.duration_seconds.isna() & texts.duration_seconds.notna(), "occurred_at": rows.occurred_at.isna()},
        **{"learner_id": rows.learner_id.isna(), "event_id": rows.event_id.isna()},
    }
    for name, found in faults.items():
        reason[found.fillna(False).astype(bool)] = name
    bad = reason.notna()
    good = rows[~bad]
    rejected = pd.concat([rows.loc[bad, ["event_id", "payload"]].assign(reason=reason[bad]), pd.DataFrame({"reason": ["json"] * broken})])
    good.drop(columns="payload").assign(quantity=good.quantity.fillna(1), date_key=date_key(good.occurred_at)).to_parquet(
        staged / "events" / f"{number}.parquet", compression="zstd", index=False
    )
    good[["payload"]].to_parquet(staged / "raw" / f"{number}.parquet", compression="zstd", index=False)
    rejected.to_parquet(staged / "rejected" / f"{number}.parquet", compression="zstd", index=False)
    return len(rejected)


def enrollments(roster: pd.DataFrame) -> pd.DataFrame:
    latest = roster.dropna(subset=["learner_key", "enrolled_at"]).sort_values("effective_at", ascending=False).drop_duplicates("enrollment_id")
    fact = latest.drop(columns=["learner_id", "course_id", "effective_at"]).sort_values([*PAIR, "enrolled_at"])
    fact = fact.assign(
        attempt=fact.groupby(PAIR).cumcount() + 1,
        enrolled_date_key=date_key(fact.enrolled_at),
        withdrawn_date_key=date_key(fact.withdrawn_at),
    )
    write_fact(fact, "fact_enrollment", "enrolled_date_key", "enrolled_at")
    return fact


def completions(roster: pd.DataFrame, enrolled: pd.DataFrame) -> pd.DataFrame:
    first = roster.dropna(subset=["learner_key", "completed_at"]).sort_values("completed_at").drop_duplicates(PAIR)
    pairs = enrolled.groupby(PAIR, as_index=False).enrolled_at.min()
    fact = first.drop(columns=["learner_id", "course_id"]).merge(pairs, on=PAIR, how="left")
    days = (fact.completed_at.dt.floor("D") - fact.enrolled_at.dt.floor("D")).dt.days
    fact = fact.assign(completed_date_key=date_key(fact.completed_at), days_to_complete=days).drop(columns="enrolled_at")
    write_fact(fact, "fact_course_completion", "completed_date_key", "completed_at")
    return fact


def learning_events() -> int:
    """Each event counts once, whichever of its records that is."""
    events = pd.read_parquet(staged / "events", dtype_backend="pyarrow").drop(columns=["learner_id", "course_id"])
    events = events.drop_duplicates("event_id")
    write_fact(events, "fact_learning_event", "date_key", "occurred_at")
    aggregate(events)
    return len(events)


def aggregate(events: pd.DataFrame) -> None:
    """Events and time on task of a course on a day."""
    columns = ["course_key", "learner_key", "date_key", "occurred_at", "event_id", "quantity"]
    ordered = events[columns].sort_values(["course_key", "learner_key", "occurred_at", "event_id"])
    following = ordered.groupby(["course_key", "learner_key"]).occurred_at.shift(-1)
    gap = (following - ordered.occurred_at).dt.total_seconds() * 1000
    days = ordered.assign(gap=gap.where(gap <= SESSION_GAP_MS)).groupby(["course_key", "date_key"], as_index=False)
    sums = days.agg(
        active_learners=("learner_key", "nunique"),
        events=("event_id", "size"),
        event_quantity=("quantity", "sum"),
        time_on_task_seconds=("gap", "sum"),
    )
    sums.assign(time_on_task_seconds=sums.time_on_task_seconds / 1000).to_parquet(core / "agg_course_day.parquet", compression="zstd")


def write_fact(fact: pd.DataFrame, name: str, day: str, at: str) -> None:
    ordered = fact.sort_values([day, "course_key"])
    ordered.assign(month=ordered[day] // 100).to_parquet(core / name, partition_cols=["month"], compression="zstd", index=False)


def ranking(enrolled: pd.DataFrame, done: pd.DataFrame, courses: pd.DataFrame) -> list[list]:
    pairs = enrolled[PAIR].drop_duplicates().merge(done[[*PAIR, "completed_at"]], on=PAIR, how="left")
    counted = pairs.groupby("course_key", as_index=False).agg(learners=("learner_key", "size"), completed=("completed_at", "count"))
    named = counted[counted.learners >= 5].merge(courses[["course_key", "course_id"]], on="course_key")
    ordered = named.assign(share=named.completed / named.learners).sort_values(["share", "course_id"], ascending=[False, True])
    return [[row.course_id, int(row.learners), int(row.completed)] for row in ordered.head(10).itertuples()]


main()
