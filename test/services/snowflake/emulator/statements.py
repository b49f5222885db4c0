"""What a statement is, and what of it fakesnow cannot run: pure functions from text to text.

Taken out before fakesnow sees it (outcome "changed" in the log, which keeps the statement as it came):
  * AT (...) and BEFORE (...) after a table: the rows are those of now, not of then
  * PRIMARY KEY, UNIQUE, REFERENCES and FOREIGN KEY of CREATE TABLE: Snowflake does not enforce them, DuckDB does. Columns
    of a primary key stay NOT NULL, as in Snowflake. SHOW PRIMARY KEYS and its like therefore find nothing.
  * ORDER and NOORDER of CREATE SEQUENCE; S.NAME.NEXTVAL becomes DuckDB's function
  * USE_LOGICAL_TYPE and an empty NULL_IF of a file format, which fakesnow does not know and DuckDB always does
  * the 'd' of PARSE_JSON: a name that is there twice is no error for DuckDB, and the first one counts, not the last
  * HASH gives a number of 63 bits
Answered as executed, without doing anything (outcome "recorded"): RECORDED below. Of roles, grants, tags and policies
governance.py keeps what was said, and tells it: recorded, not enforced.
fakesnow itself takes and ignores TRANSIENT, CLUSTER BY and retention in CREATE TABLE, ON_ERROR = ABORT_STATEMENT,
ALTER TABLE ... CLUSTER BY, USE ROLE and USE WAREHOUSE.
"""

import re
from dataclasses import dataclass

from sqlglot import exp, parse_one
from sqlglot.dialects.snowflake import Snowflake
from sqlglot.tokens import Token, TokenType

_LEADING = re.compile(r"\A(?:\s+|--[^\n]*(?:\n|\Z)|//[^\n]*(?:\n|\Z)|/\*.*?\*/)+", re.S)

_OBJECT = (
    r"(?:ROLE|DATABASE ROLE|USER|WAREHOUSE|RESOURCE MONITOR|TAG|TASK|STREAM|PIPE|PROCEDURE|DYNAMIC TABLE"
    r"|(?:MASKING|ROW ACCESS|NETWORK|PROJECTION|AGGREGATION|SESSION|PASSWORD|JOIN) POLICY)"
)
RECORDED = re.compile(
    rf"(?:CREATE (?:OR (?:REPLACE|ALTER) )?{_OBJECT}|DROP {_OBJECT}|ALTER {_OBJECT}|ALTER (?:DATABASE|SCHEMA|ACCOUNT)"
    r"|GRANT|REVOKE|UNDROP|EXECUTE TASK|USE SECONDARY ROLES|ALTER SESSION (?:SET (?!TIMEZONE)\w+|UNSET)"
    r"|ALTER SESSION SET TIMEZONE ?= ?'(?:ETC/)?UTC'"
    r"|ALTER (?:TABLE|VIEW)\b.*\b(?:MASKING POLICY|ROW ACCESS POLICY|SET TAG|UNSET TAG|SEARCH OPTIMIZATION"
    r"|(?:UN)?SET (?:DATA_RETENTION_TIME_IN_DAYS|MAX_DATA_EXTENSION_TIME_IN_DAYS|CHANGE_TRACKING)"
    r"|(?:SUSPEND|RESUME) RECLUSTER|ADD (?:CONSTRAINT|PRIMARY KEY|UNIQUE|FOREIGN KEY)))(?!\w)"
)
_LAST_OF_DOUBLES = re.compile(r",\s*'d'\s*\)", re.I)
_FORMAT_WORDS = re.compile(r"\s+(?:USE_LOGICAL_TYPE\s*=\s*TRUE\b|NULL_IF\s*=\s*\(\s*(?:'')?\s*\))", re.I)
# TRUNCATE is among them by Snowflake's list of DDL commands; a DELETE is what can be rolled back for certain.
_DDL = re.compile(r"(?:CREATE|ALTER(?! SESSION)|DROP|UNDROP|TRUNCATE|COMMENT|GRANT|REVOKE)\b")

_DML = re.compile(r"(?:INSERT|UPDATE|DELETE|MERGE|COPY)\b")
_FORMAT = re.compile(r"\b((?:DATE|TIME(?:STAMP)?(?:_[LNT]T?Z)?)_OUTPUT_FORMAT) ?= ?'([^']*)'")
_AUTOCOMMIT = re.compile(r"ALTER SESSION SET .*\bAUTOCOMMIT ?= ?(TRUE|FALSE)\b")

# What somebody who knows DuckDB might write, and Snowflake does not have.
DUCKDB_ONLY = frozenset(
    """STRFTIME STRPTIME TRY_STRPTIME EPOCH EPOCH_MS EPOCH_US EPOCH_NS MAKE_TIMESTAMP TO_MILLISECONDS
    LIST LIST_VALUE LIST_SORT LIST_CONTAINS LIST_FILTER LIST_TRANSFORM STRUCT_PACK STRUCT_EXTRACT UNNEST
    READ_CSV READ_PARQUET READ_JSON READ_JSON_OBJECTS REGEXP_MATCHES REGEXP_EXTRACT STRING_SPLIT
    JSON_EXTRACT JSON_EXTRACT_STRING JSON_VALID JSON_TYPE JSON_KEYS QUANTILE_CONT QUANTILE_DISC ARG_MAX ARG_MIN
    ENDS_WITH MD5_NUMBER PRINTF GENERATE_SERIES""".split()
)


@dataclass(frozen=True)
class Runnable:
    """A statement as fakesnow gets it."""

    sql: str
    is_changed: bool
    # Positions, from 0, of the ? that went with what was taken out.
    lost_binds: frozenset[int] = frozenset()


def head(sql: str) -> str:
    """The statement without comments before it, upper case, its blanks single: what patterns are held against."""
    return " ".join(_LEADING.sub("", sql).split()).upper()


def is_recorded(sql: str) -> bool:
    return RECORDED.match(head(sql)) is not None


def is_ddl(sql: str) -> bool:
    """Snowflake commits an open transaction before such a statement."""
    return _DDL.match(head(sql)) is not None


def is_dml(sql: str) -> bool:
    """Without AUTOCOMMIT, Snowflake begins a transaction before such a statement."""
    return _DML.match(head(sql)) is not None


def output_formats(sql: str) -> dict[str, str]:
    """Of dates and times, that the statement sets for the session."""
    return dict(_FORMAT.findall(head(sql))) if head(sql).startswith("ALTER SESSION SET") else {}


def autocommit(sql: str) -> str | None:
    """TRUE or FALSE, where the statement sets it."""
    found = _AUTOCOMMIT.match(head(sql))
    return found and found[1]


def split(sql: str) -> list[str]:
    """The statements between semicolons, each as it was written."""
    parts, start = [], 0
    for token in _tokens(sql):
        if token.token_type == TokenType.SEMICOLON:
            parts.append(sql[start : token.start])
            start = token.end + 1
    parts.append(sql[start:])
    return [part.strip() for part in parts if head(part)]


def duckdb_function(sql: str) -> str | None:
    """A function that the statement calls and only DuckDB has."""
    tokens = _tokens(sql)
    for name, bracket in zip(tokens, tokens[1:]):
        if bracket.token_type == TokenType.L_PAREN and name.text.upper() in DUCKDB_ONLY:
            if name.token_type not in (TokenType.STRING, TokenType.IDENTIFIER):
                return name.text.upper()
    return None


def runnable(sql: str) -> Runnable:
    """What is left for fakesnow: see above."""
    now = _without_time_travel(sql)
    plain = _with_signed_hashes(_with_plain_sequences(_without_constraints(now.sql)))
    plain = _FORMAT_WORDS.sub("", plain)
    if re.search(r"\bparse_json\s*\(", plain, re.I):
        plain = _LAST_OF_DOUBLES.sub(")", plain)
    return Runnable(_with_casts_of_binds(plain), plain != sql, now.lost_binds)


def _with_plain_sequences(sql: str) -> str:
    """DuckDB numbers in order, and has its own words for the next number."""
    if re.match(r"CREATE (?:OR REPLACE )?SEQUENCE\b", head(sql)):
        return re.sub(r"\s+(?:NO)?ORDER\s*\Z", "", sql, flags=re.I)
    return re.sub(r"\b(\w+)\.(\w+)\.nextval\b", r"nextval('\1.\2')", sql, flags=re.I)


def _with_signed_hashes(sql: str) -> str:
    """Snowflake's HASH is a number of 64 bits with a sign, DuckDB's has none, and fakesnow no more than 64 with one."""
    if not re.search(r"\bhash\s*\(", sql, re.I):
        return sql
    tokens, parts, start, ends = _tokens(sql), [], 0, []
    for before, token in zip([None, *tokens], tokens):
        if token.text == "(":
            is_hash = before is not None and before.text.upper() == "HASH"
            ends.append(is_hash)
            if before is not None and is_hash:
                parts.append(f"{sql[start : before.start]}({sql[before.start : token.end + 1]}")
                start = token.end + 1
        elif token.text == ")" and ends and ends.pop():
            parts.append(f"{sql[start : token.end + 1]} % 9223372036854775807)")
            start = token.end + 1
    return "".join([*parts, sql[start:]])


def _tokens(sql: str) -> list[Token]:
    return Snowflake().tokenize(sql)


def _with_casts_of_binds(sql: str) -> str:
    """sqlglot takes ?:: for one operator, which Snowflake does not have."""
    parts, start = [], 0
    for token in _tokens(sql) if "?::" in sql else []:
        if token.text == "?::":
            parts.append(sql[start : token.start] + "? ::")
            start = token.end + 1
    return "".join([*parts, sql[start:]])


def _without_time_travel(sql: str) -> Runnable:
    if not re.search(r"\b(?:at|before)\s*\(", sql, re.I):
        return Runnable(sql, False)
    tokens, kept, start, at = _tokens(sql), [], 0, 0
    binds, lost = 0, set()
    while at < len(tokens):
        end = _time_travel_end(tokens, at)
        for token in tokens[at:end]:
            if token.text in ("?", "?::"):
                if end > at + 1:
                    lost.add(binds)
                binds += 1
        if end > at + 1:
            kept.append(sql[start : tokens[at].start])
            start = tokens[end - 1].end + 1
        at = end
    return Runnable("".join([*kept, sql[start:]]), bool(kept), frozenset(lost))


def _time_travel_end(tokens: list[Token], at: int) -> int:
    """The token after AT (TIMESTAMP => ...) when it begins here, else the next one."""
    words = [token.text.upper() for token in tokens[at : at + 4]]
    if len(words) < 4 or words[0] not in ("AT", "BEFORE") or words[1] != "(" or words[3] != "=>":
        return at + 1
    if words[2] not in ("TIMESTAMP", "OFFSET", "STATEMENT", "STREAM"):
        return at + 1
    depth = 0
    for index in range(at + 1, len(tokens)):
        depth += {"(": 1, ")": -1}.get(tokens[index].text, 0)
        if depth == 0:
            return index + 1
    return at + 1


_TABLE_CONSTRAINTS = (exp.PrimaryKey, exp.ForeignKey, exp.UniqueColumnConstraint, exp.Constraint)
_COLUMN_CONSTRAINTS = (exp.PrimaryKeyColumnConstraint, exp.UniqueColumnConstraint, exp.Reference)


def _without_constraints(sql: str) -> str:
    text = head(sql)
    if not text.startswith("CREATE") or not re.search(r"PRIMARY KEY|UNIQUE|REFERENCES", text):
        return sql
    create = parse_one(sql, read="snowflake")
    if not isinstance(create, exp.Create) or not isinstance(create.this, exp.Schema):
        return sql
    keys = {
        column.name.upper()
        for key in create.this.find_all(exp.PrimaryKey)
        for column in key.find_all(exp.Identifier)
    }
    columns = [part for part in create.this.expressions if not isinstance(part, _TABLE_CONSTRAINTS)]
    for column in (part for part in columns if isinstance(part, exp.ColumnDef)):
        kinds = column.args.get("constraints") or []
        is_key = column.name.upper() in keys or any(
            isinstance(kind.kind, exp.PrimaryKeyColumnConstraint) for kind in kinds
        )
        kept = [kind for kind in kinds if not isinstance(kind.kind, _COLUMN_CONSTRAINTS)]
        if is_key and not any(isinstance(kind.kind, exp.NotNullColumnConstraint) for kind in kept):
            kept.append(exp.ColumnConstraint(kind=exp.NotNullColumnConstraint()))
        column.set("constraints", kept)
    create.this.set("expressions", columns)
    return create.sql(dialect="snowflake")
