"""Whether sqlfluff's grammar of Snowflake knows statements: a JSON list of texts in, a list of errors or nulls out."""

import json
import sys

from sqlfluff.core import FluffConfig, Linter


def main() -> None:
    # No file of settings, and no templates: braces are braces.
    config = FluffConfig(overrides={"dialect": "snowflake", "templater": "raw", "large_file_skip_byte_limit": 0})
    linter = Linter(config=config)
    print(json.dumps([error(linter, sql) for sql in json.load(sys.stdin)]))


def error(linter: Linter, sql: str) -> str | None:
    violations = linter.parse_string(sql).violations
    return violations[0].desc() if violations else None


main()
