"""The main job in Polars: staging and facts are Parquet files.

usage: python polars_job.py EXPORTS FOLDER
Writes what it found as one line of JSON.
"""

import json
import sys
from pathlib import Path

import polars as pl
import polars_staging as staging

exports, folder = sys.argv[1:]
staged, core = Path(folder, "staging"), Path(folder, "core")
SESSION_GAP_MS = 1_800_000


def main() -> None:
    for path in [*[staged / name for name in staging.Staged._fields], core]:
        path.mkdir(parents=True)
    rosters = staging.rosters(exports)
    for name, frame in rosters.items():
        frame.write_parquet(staged / f"{name}.parquet")
    for number, batch in enumerate(staging.events(exports)):
        for name, frame in batch._asdict().items():
            frame.write_parquet(staged / name / f"{number}.parquet")
    rejected = pl.scan_parquet(staged / "rejected").select(pl.len()).collect().item()
    dimensions(rosters)
    pairs = enrollments(rosters["stg_enrollment"])
    done = completions(rosters["stg_course_completion"], pairs)
    count = learning_events()
    aggregate()
    learners = rosters["stg_learner"].get_column("learner_key").drop_nulls().n_unique()
    answer = {
        **{"learners": learners, "courses": rosters["stg_course"].get_column("course_key").n_unique()},
        **{"enrollments": pl.scan_parquet(core / "fact_enrollment").select(pl.len()).collect().item()},
        **{"completions": len(done), "events": count, "rejected": rejected},
        "ranking": ranking(pairs, done, rosters["stg_course"]),
    }
    print(json.dumps(answer))


def dimensions(rosters: dict[str, pl.DataFrame]) -> None:
    def latest(frame: pl.DataFrame, key: str, at: str) -> pl.DataFrame:
        return frame.drop_nulls(key).sort(at, descending=True, nulls_last=True).unique(key, keep="first")

    latest(rosters["stg_learner"], "learner_key", "effective_at").write_parquet(core / "dim_learner.parquet")
    latest(rosters["stg_course"], "course_key", "updated_at").write_parquet(core / "dim_course.parquet")
    rosters["stg_course_category"].write_parquet(core / "dim_course_category.parquet")
    rosters["stg_instructor"].with_columns(staging.person_key("instructor_id").alias("instructor_key")).write_parquet(
        core / "dim_instructor.parquet"
    )


def enrollments(roster: pl.DataFrame) -> pl.DataFrame:
    """Writes the fact; hands back the first day of each learner and course."""
    pair = ["learner_key", "course_key"]
    fact = (
        roster.drop_nulls(["learner_key", "enrolled_at"])
        .sort("effective_at", descending=True, nulls_last=True)
        .unique("enrollment_id", keep="first")
        .sort(*pair, "enrolled_at")
        .with_columns(
            pl.int_range(1, pl.len() + 1).over(pair).alias("attempt"),
            staging.date_key("enrolled_at").alias("enrolled_date_key"),
            staging.date_key("withdrawn_at").alias("withdrawn_date_key"),
        )
        .drop("learner_id", "course_id", "updated_at", "effective_at")
    )
    write_fact(fact.lazy(), "fact_enrollment", "enrolled_date_key", "enrolled_at")
    return fact.group_by(pair).agg(pl.col("enrolled_at").min())


def completions(roster: pl.DataFrame, pairs: pl.DataFrame) -> pl.DataFrame:
    pair = ["learner_key", "course_key"]
    fact = (
        roster.drop_nulls(["learner_key", "completed_at"])
        .sort("completed_at")
        .unique(pair, keep="first")
        .join(pairs, on=pair, how="left")
        .with_columns(
            staging.date_key("completed_at").alias("completed_date_key"),
            (pl.col("completed_at").dt.date() - pl.col("enrolled_at").dt.date()).dt.total_days().alias("days_to_complete"),
        )
        .drop("learner_id", "course_id", "enrolled_at")
    )
    write_fact(fact.lazy(), "fact_course_completion", "completed_date_key", "completed_at")
    return fact


def learning_events() -> int:
    """Each event counts once, whichever of its records that is."""
    fact = pl.scan_parquet(staged / "events").unique("event_id", keep="any").drop("learner_id", "course_id")
    write_fact(fact, "fact_learning_event", "date_key", "occurred_at")
    return pl.scan_parquet(core / "fact_learning_event").select(pl.len()).collect().item()


def aggregate() -> None:
    """Events and time on task of a course on a day."""
    person = ["course_key", "learner_key"]
    columns = [*person, "date_key", "occurred_at", "event_id", "quantity"]
    events = pl.scan_parquet(core / "fact_learning_event").select(columns).sort(*person, "occurred_at", "event_id")
    gap = (pl.col("occurred_at").shift(-1) - pl.col("occurred_at")).dt.total_milliseconds()
    same = pl.all_horizontal(pl.col(name).shift(-1) == pl.col(name) for name in person)
    events.with_columns(gap=pl.when(same & (gap <= SESSION_GAP_MS)).then(gap)).group_by("course_key", "date_key").agg(
        pl.col("learner_key").n_unique().alias("active_learners"),
        pl.len().alias("events"),
        pl.col("quantity").sum().alias("event_quantity"),
        (pl.col("gap").sum() / 1000).alias("time_on_task_seconds"),
    ).sink_parquet(core / "agg_course_day.parquet")


def write_fact(fact: pl.LazyFrame, name: str, day: str, at: str) -> None:
    month = pl.col(at).dt.strftime("%Y-%m").alias("month")
    fact.sort(day, "course_key").sink_parquet(pl.PartitionBy(core / name, key=month), mkdir=True)


def ranking(pairs: pl.DataFrame, done: pl.DataFrame, courses: pl.DataFrame) -> list[tuple]:
    pair = ["learner_key", "course_key"]
    counted = pairs.join(done.select(*pair, "completed_at"), on=pair, how="left").group_by("course_key")
    return (
        counted.agg(pl.len().alias("learners"), pl.col("completed_at").count().alias("completed"))
        .filter(pl.col("learners") >= 5)
        .join(courses.select("course_key", "course_id").unique("course_key"), on="course_key")
        .with_columns(share=pl.col("completed") / pl.col("learners"))
        .sort("share", "course_id", descending=[True, False])
        .head(10)
        .select("course_id", "learners", "completed")
        .rows()
    )


main()
