"""What a job left in a DuckDB file, as one line of JSON. usage: python read_answer.py DATABASE"""

import sys
from pathlib import Path

import duckdb

answer = Path(__file__).parent.with_name("answer.sql").read_text(encoding="utf-8")
print(duckdb.connect(sys.argv[1], read_only=True).sql(answer).fetchone()[0])
