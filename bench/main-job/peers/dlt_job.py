"""The main job in dlt: Polars stages (as frames, which dlt loads much faster than records), its DuckDB makes the rest.

usage: python dlt_job.py EXPORTS FOLDER
Writes what it found as one line of JSON.
"""

import sys
from pathlib import Path

import dlt
import polars_staging as staging

exports, folder = sys.argv[1:]
HERE = Path(__file__).parent
SQL = [HERE / "core.sql", HERE.parent / "answer.sql"]
NAMES = {"events": "events_read", "raw": "raw_learning_events", "rejected": "rejected"}


@dlt.resource(write_disposition="replace")
def rosters():
    for name, frame in staging.rosters(exports).items():
        yield dlt.mark.with_table_name(frame.to_arrow(), name)


@dlt.resource(write_disposition="replace")
def events():
    for batch in staging.events(exports):
        for name, frame in batch._asdict().items():
            yield dlt.mark.with_table_name(frame.to_arrow(), NAMES[name])


def main() -> None:
    destination = dlt.destinations.duckdb(f"{folder}/warehouse.duckdb")
    pipeline = dlt.pipeline("campus", pipelines_dir=f"{folder}/pipelines", destination=destination, dataset_name="campus")
    pipeline.run([rosters(), events()], loader_file_format="parquet")
    with pipeline.sql_client() as client:
        statements = [one for file in SQL for one in file.read_text(encoding="utf-8").split(";\n") if one.strip()]
        *_, answer = [client.execute_sql(statement) for statement in statements]
    print(answer[0][0])


main()
