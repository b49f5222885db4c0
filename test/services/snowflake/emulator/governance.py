"""A ledger of who may see what: recorded, not enforced.

It reads the statements of roles, grants, tags, masking and row access policies, keeps what they say, and answers what
Snowflake tells of them (SHOW, DESCRIBE, TAG_REFERENCES_ALL_COLUMNS, POLICY_REFERENCES) by the names of its columns. What
Snowflake would refuse of them is refused: a role that does not exist, a value that a tag does not allow, a second policy on a
column or table, a drop of what is still used. No query is ever masked, filtered or refused for what is recorded here.
"""

import json
import re
import threading
from dataclasses import dataclass, field
from typing import Any, Callable

CREATED = "2026-01-01 00:00:00.000 +0000"
NAME = r'((?:"(?:[^"]|"")*"|[\w$]+)(?:\.(?:"(?:[^"]|"")*"|[\w$]+))*)'
_TEXT = re.compile(r"'((?:[^'\\]|\\.|'')*)'", re.S)

Rows = list[list[str | None]]


class Refused(Exception):
    """What Snowflake says no to: number, SQL state and message."""

    def __init__(self, code: str, state: str, message: str) -> None:
        super().__init__(message)
        self.code, self.state, self.message = code, state, message


def missing(what: str, name: str) -> Refused:
    return Refused("002003", "02000", f"SQL compilation error:\n{what} '{name}' does not exist or not authorized.")


def invalid(message: str) -> Refused:
    return Refused("003003", "23001", f"SQL compilation error:\n{message}")


def unquoted(name: str) -> str:
    """As Snowflake keeps it: without quotes in capitals."""
    return name[1:-1].replace('""', '"') if name.startswith('"') else name.upper()


def parts_of(name: str) -> list[str]:
    return [unquoted(part) for part in re.findall(r'"(?:[^"]|"")*"|[^."]+', name)]


def text_of(quoted: str) -> str:
    return re.sub(r"\\(.)", r"\1", quoted[1:-1].replace("''", "'"), flags=re.S)


def texts_of(listed: str) -> list[str]:
    return [text_of(found[0]) for found in re.finditer(_TEXT, listed)]


@dataclass
class Policy:
    kind: str
    signature: str
    returns: str
    body: str
    comment: str


@dataclass
class Tag:
    values: list[str]
    comment: str


# A grant: privilege, kind of object, its full name.
Grant = tuple[str, str, str]


@dataclass
class Account:
    """Roles and their grants are an account's; tests share one emulator, so each database has an account of its own."""

    roles: dict[str, str] = field(
        default_factory=lambda: dict.fromkeys(["ACCOUNTADMIN", "SECURITYADMIN", "SYSADMIN", "USERADMIN", "PUBLIC"], "")
    )
    grants: dict[str, dict[Grant, None]] = field(default_factory=dict)
    # Privilege, kind of object, schema or "" for the database.
    futures: dict[str, dict[Grant, None]] = field(default_factory=dict)
    # Of a role: ROLE or USER, and who.
    members: dict[str, dict[tuple[str, str], None]] = field(default_factory=dict)
    tags: dict[str, Tag] = field(default_factory=dict)
    policies: dict[str, Policy] = field(default_factory=dict)
    # By table, or table and column: tag and value.
    tag_values: dict[tuple[str, ...], dict[str, str]] = field(default_factory=dict)
    tag_masks: dict[tuple[str, str], None] = field(default_factory=dict)
    column_masks: dict[tuple[str, str], str] = field(default_factory=dict)
    table_rows: dict[str, tuple[str, list[str]]] = field(default_factory=dict)


# SCHEMA.NAME: TABLE or VIEW, and its columns with DuckDB's types.
Tables = dict[str, tuple[str, dict[str, str]]]


class Governance:
    """Of one database, for all of its sessions."""

    def __init__(self, database: str) -> None:
        self._database = database
        self._account = Account()
        self._relations: Tables = {}
        self._lock = threading.RLock()

    # What is recorded

    def record(self, sql: str, tables: Callable[[], Tables]) -> bool:
        """Whether the statement is of this ledger; then it is in it."""
        for pattern, run in _STATEMENTS:
            if found := pattern.fullmatch(sql.strip()):
                with self._lock:
                    self._relations = tables()
                    run(self, *found.groups())
                return True
        return False

    def _create_role(self, name: str, comment: str | None) -> None:
        self._account.roles.setdefault(unquoted(name), text_of(comment or "''"))

    def _comment_role(self, name: str, comment: str) -> None:
        self._account.roles[self._role(name)] = text_of(comment)

    def _drop_role(self, name: str) -> None:
        account, role = self._account, unquoted(name)
        account.roles.pop(role, None)
        for kept in (account.grants, account.futures, account.members):
            kept.pop(role, None)
        for members in account.members.values():
            members.pop(("ROLE", role), None)

    def _give_role(self, verb: str, name: str, to: str, grantee: str) -> None:
        role = self._role(name)
        who = self._role(grantee) if to.upper() == "ROLE" else unquoted(grantee)
        members = self._account.members.setdefault(role, {})
        _change(members, verb, (to.upper(), who))

    def _grant_future(self, verb: str, privileges: str, plural: str, where: str, place: str, role: str) -> None:
        schema = parts_of(place)[-1] if where.upper() == "SCHEMA" else ""
        futures = self._account.futures.setdefault(self._role(role), {})
        for privilege in _listed(privileges):
            _change(futures, verb, (privilege, plural.upper().rstrip("S").strip(), schema))

    def _grant_all(self, verb: str, privileges: str, plural: str, schema: str, role: str) -> None:
        kind, place = plural.upper()[:-1], parts_of(schema)[-1]
        grants = self._account.grants.setdefault(self._role(role), {})
        for name, (relation, _) in self._relations.items():
            if relation == kind and name.startswith(f"{place}."):
                for privilege in _listed(privileges):
                    _change(grants, verb, (privilege, kind, f"{self._database}.{name}"))

    def _grant(self, verb: str, privileges: str, kind: str, name: str, role: str) -> None:
        on = kind.upper()
        grants = self._account.grants.setdefault(self._role(role), {})
        if on in ("TABLE", "VIEW") and self._table(name)[0] != on:
            raise missing("Table", name)
        full = ".".join(parts_of(name))
        if on not in ("DATABASE", "WAREHOUSE") and not full.startswith(f"{self._database}."):
            full = f"{self._database}.{full}"
        for privilege in _listed(privileges):
            _change(grants, verb, (privilege, on.replace(" ", "_"), full))

    def _create_tag(self, name: str, values: str | None, comment: str | None) -> None:
        self._account.tags.setdefault(self._inside(name), Tag(texts_of(values or ""), text_of(comment or "''")))

    def _comment_tag(self, name: str, comment: str) -> None:
        self._tag(name).comment = text_of(comment)

    def _unset_values(self, name: str) -> None:
        self._tag(name).values = []

    def _add_values(self, name: str, values: str) -> None:
        tag = self._tag(name)
        tag.values += [value for value in texts_of(values) if value not in tag.values]

    def _drop_values(self, name: str, values: str) -> None:
        tag, full = self._tag(name), self._inside(name)
        dropped = texts_of(values)
        for used in self._account.tag_values.values():
            if used.get(full) in dropped:
                raise invalid(f"Tag value '{used[full]}' is in use.")
        tag.values = [value for value in tag.values if value not in dropped]

    def _drop_tag(self, name: str) -> None:
        full = self._inside(name)
        if any(tag == full for tag, _ in self._account.tag_masks):
            raise invalid(f"Tag {full} cannot be dropped: a masking policy is set on it.")
        self._account.tags.pop(full, None)
        for values in self._account.tag_values.values():
            values.pop(full, None)

    def _create_policy(self, kind: str, name: str, signature: str, returns: str, body: str, comment: str | None) -> None:
        policy = Policy(kind.upper(), signature.upper(), returns.upper(), body.strip(), text_of(comment or "''"))
        self._account.policies.setdefault(self._inside(name), policy)

    def _set_body(self, name: str, body: str) -> None:
        self._policy(name).body = body.strip()

    def _drop_policy(self, name: str) -> None:
        full, account = self._inside(name), self._account
        used = [policy for _, policy in account.tag_masks] + list(account.column_masks.values())
        if full in used or full in [policy for policy, _ in account.table_rows.values()]:
            raise invalid(f"Policy {full} cannot be dropped/replaced as it is associated with one or more entities.")
        account.policies.pop(full, None)

    def _mask_tag(self, name: str, policy: str, force: str | None) -> None:
        self._tag(name)
        wanted = self._policy(policy)
        tag = self._inside(name)
        for other, its in list(self._account.tag_masks):
            if other == tag and self._account.policies[its].returns == wanted.returns:
                if not force:
                    raise invalid(f"Tag {tag} already has a masking policy for this type.")
                del self._account.tag_masks[other, its]
        self._account.tag_masks[tag, self._inside(policy)] = None

    def _unmask_tag(self, name: str, policy: str) -> None:
        if self._account.tag_masks.pop((self._inside(name), self._inside(policy)), 0) == 0:
            raise invalid(f"Masking policy {policy} is not set on tag {name}.")

    def _mask_column(self, table: str, column: str, policy: str, force: str | None) -> None:
        key = (self._relation(table), unquoted(column))
        kind = self._table(table)[1].get(key[1])
        if kind is None:
            raise Refused("000904", "42000", f"SQL compilation error: invalid identifier '{column}'")
        if self._policy(policy).returns.split("(")[0] != _written(kind):
            raise invalid(f"Masking policy {policy} is of {self._policy(policy).returns}, column {column} of {kind}.")
        if key in self._account.column_masks and not force:
            raise invalid(f"Specified column already attached to another masking policy: {column}")
        self._account.column_masks[key] = self._inside(policy)

    def _unmask_column(self, table: str, column: str) -> None:
        if self._account.column_masks.pop((self._relation(table), unquoted(column)), None) is None:
            raise invalid(f"No masking policy is set on column {column}.")

    def _filter(self, table: str, dropped: str | None, policy: str, columns: str) -> None:
        name, rows = self._relation(table), self._account.table_rows
        wanted = [unquoted(column) for column in columns.split(", ")]
        taken = self._policy(policy).signature.count(",") + 1 - len(re.findall(r"\(\d+,\d+\)", self._policy(policy).signature))
        if len(wanted) != taken:
            raise invalid(f"Policy {policy} takes {taken} arguments.")
        if dropped:
            self._unfilter(table, dropped)
        if name in rows:
            raise invalid(f"Object {name} already has a ROW_ACCESS_POLICY. Only one ROW_ACCESS_POLICY is allowed at a time.")
        rows[name] = (self._inside(policy), wanted)

    def _unfilter(self, table: str, policy: str) -> None:
        name = self._relation(table)
        if self._account.table_rows.get(name, ("",))[0] != self._inside(policy):
            raise invalid(f"Policy {policy} is not attached to {name}.")
        del self._account.table_rows[name]

    def _set_tag(self, table: str, column: str | None, name: str, value: str) -> None:
        tag, written = self._tag(name), text_of(value)
        if tag.values and written not in tag.values:
            raise invalid(f"Tag value '{written}' is not among the allowed values of {name}.")
        self._account.tag_values.setdefault(self._target(table, column), {})[self._inside(name)] = written

    def _unset_tag(self, table: str, column: str | None, name: str) -> None:
        self._account.tag_values.get(self._target(table, column), {}).pop(self._inside(name), None)

    # What is told

    def told(self, sql: str, tables: Callable[[], Tables]) -> tuple[list[str], Rows] | None:
        """The answer to a question of this ledger: names of columns, and rows."""
        with self._lock:
            for pattern, tell in _QUESTIONS:
                if found := pattern.fullmatch(sql.strip()):
                    return tell(self, *found.groups())
            if re.search(r"\b(?:TAG_REFERENCES_ALL_COLUMNS|POLICY_REFERENCES)\b", sql, re.I):
                self._relations = tables()
                return self._references(sql.strip())
        return None

    def _show_roles(self) -> tuple[list[str], Rows]:
        columns = "created_on name is_default is_current is_inherited assigned_to_users granted_to_roles granted_roles"
        rows: Rows = []
        for name, comment in self._account.roles.items():
            rows.append([CREATED, name, "N", "N", "N", "0", "0", "0", "ACCOUNTADMIN", comment])
        return [*columns.split(), "owner", "comment"], rows

    def _show_grants_to(self, name: str) -> tuple[list[str], Rows]:
        role = self._role(name)
        columns = "created_on privilege granted_on name granted_to grantee_name grant_option granted_by".split()
        grants = list(self._account.grants.get(role, {}))
        for given, members in self._account.members.items():
            if ("ROLE", role) in members:
                grants.append(("USAGE", "ROLE", given))
        return columns, [
            [CREATED, privilege, on, full, "ROLE", role, "false", "ACCOUNTADMIN"] for privilege, on, full in grants
        ]

    def _show_grants_of(self, name: str) -> tuple[list[str], Rows]:
        role = self._role(name)
        columns = "created_on role granted_to grantee_name granted_by".split()
        members = self._account.members.get(role, {})
        return columns, [[CREATED, role, to, who, "ACCOUNTADMIN"] for to, who in members]

    def _show_future(self, where: str, place: str) -> tuple[list[str], Rows]:
        columns = "created_on privilege grant_on name grant_to grantee_name grant_option".split()
        wanted = parts_of(place)[-1] if where.upper() == "SCHEMA" else ""
        rows: Rows = []
        for role, futures in self._account.futures.items():
            for privilege, on, schema in futures:
                if schema == wanted:
                    path = ".".join(part for part in (self._database, schema, f"<{on}>") if part)
                    rows.append([CREATED, privilege, on, path, "ROLE", role, "false"])
        return columns, rows

    def _show_tags(self, schema: str) -> tuple[list[str], Rows]:
        columns = "created_on name database_name schema_name owner comment allowed_values owner_role_type".split()
        rows: Rows = []
        for full, tag in self._account.tags.items():
            place, name = full.split(".", 1)
            if place == unquoted(schema):
                values = json.dumps(tag.values) if tag.values else None
                rows.append([CREATED, name, self._database, place, "ACCOUNTADMIN", tag.comment, values, "ROLE"])
        return columns, rows

    def _show_policies(self, kind: str, schema: str) -> tuple[list[str], Rows]:
        columns = "created_on name database_name schema_name kind owner comment owner_role_type options".split()
        rows: Rows = []
        for full, policy in self._account.policies.items():
            place, name = full.split(".", 1)
            if place == unquoted(schema) and policy.kind == kind.upper():
                told = f"{policy.kind.replace(' ', '_')}_POLICY"
                rows.append([CREATED, name, self._database, place, told, "ACCOUNTADMIN", policy.comment, "ROLE", ""])
        return columns, rows

    def _describe(self, name: str) -> tuple[list[str], Rows]:
        policy = self._policy(name)
        row = [self._inside(name).split(".", 1)[1], f"({policy.signature})", policy.returns, policy.body]
        return ["name", "signature", "return_type", "body"], [row]

    def _references(self, statement: str) -> tuple[list[str], Rows]:
        """Selects of the columns that are named, of one function each, with UNION ALL between them."""
        selects = re.split(r"\s+union all\s+", statement, flags=re.I)
        columns: list[str] = []
        rows: Rows = []
        for select in selects:
            found = _REFERENCES.fullmatch(select)
            if not found:
                raise invalid(f"emulator: {select}")
            columns = [column.strip() for column in found[1].split(",")]
            argument = text_of(found[3])
            told = (
                self._policy_references(argument)
                if found[2].upper() == "POLICY_REFERENCES"
                else self._tag_references(argument)
            )
            schema = text_of(found[4]) if found[4] else None
            rows += [[row.get(column) for column in columns] for row in told if schema in (None, row["tag_schema"])]
        return [column.upper() for column in columns], rows

    def _policy_references(self, name: str) -> list[dict[str, str | None]]:
        policy = self._inside(name)
        kind = self._policy(name).kind.replace(" ", "_") + "_POLICY"
        used: list[dict[str, str | None]] = []
        for tag, its in self._account.tag_masks:
            if its == policy:
                used.append(_reference(policy, kind, tag, "TAG", None, None, tag))
                # Columns that have it by their tag are told of too.
                for target, values in self._account.tag_values.items():
                    if len(target) == 2 and tag in values:
                        used.append(_reference(policy, kind, target[0], "TABLE", target[1], None, tag))
        for (table, column), its in self._account.column_masks.items():
            if its == policy:
                used.append(_reference(policy, kind, table, "TABLE", column, None, None))
        for table, (its, columns) in self._account.table_rows.items():
            if its == policy:
                used.append(_reference(policy, kind, table, "TABLE", None, json.dumps(columns), None))
        return used

    def _tag_references(self, table: str) -> list[dict[str, str | None]]:
        name = self._relation(table)
        rows: list[dict[str, str | None]] = []
        own = self._account.tag_values.get((name,), {})
        for column in self._table(table)[1]:
            direct = self._account.tag_values.get((name, column), {})
            for tag, value in {**own, **direct}.items():
                schema, short = name.split(".", 1)
                place, tag_name = tag.split(".", 1)
                rows.append(
                    {
                        "tag_database": self._database,
                        "tag_schema": place,
                        "tag_name": tag_name,
                        "tag_value": value,
                        "level": "COLUMN" if tag in direct else "TABLE",
                        "object_database": self._database,
                        "object_schema": schema,
                        "object_name": short,
                        "domain": "COLUMN",
                        "column_name": column,
                    }
                )
        return rows

    # Names

    def _role(self, name: str) -> str:
        if unquoted(name) not in self._account.roles:
            raise missing("Role", unquoted(name))
        return unquoted(name)

    def _inside(self, name: str) -> str:
        """SCHEMA.NAME, as it is called in this database."""
        return ".".join(parts_of(name)[-2:])

    def _tag(self, name: str) -> Tag:
        if self._inside(name) not in self._account.tags:
            raise missing("Tag", name)
        return self._account.tags[self._inside(name)]

    def _policy(self, name: str) -> Policy:
        if self._inside(name) not in self._account.policies:
            raise missing("Policy", name)
        return self._account.policies[self._inside(name)]

    def _table(self, name: str) -> tuple[str, dict[str, str]]:
        found = self._relations.get(self._inside(name))
        if not found:
            raise missing("Object", name)
        return found

    def _relation(self, name: str) -> str:
        self._table(name)
        return self._inside(name)

    def _target(self, table: str, column: str | None) -> tuple[str, ...]:
        if column is None:
            return (self._relation(table),)
        if unquoted(column) not in self._table(table)[1]:
            raise Refused("000904", "42000", f"SQL compilation error: invalid identifier '{column}'")
        return self._relation(table), unquoted(column)


def _change(kept: dict[Any, None], verb: str, key: Any) -> None:
    if verb.upper() == "GRANT":
        kept[key] = None
    else:
        kept.pop(key, None)


def _listed(privileges: str) -> list[str]:
    return [" ".join(privilege.upper().split()) for privilege in privileges.split(",")]


def _written(duckdb_type: str) -> str:
    """DuckDB's type as a policy's signature has it, without digits."""
    kind = duckdb_type.upper().split("(")[0]
    names = {"BIGINT": "NUMBER", "DECIMAL": "NUMBER", "INTEGER": "NUMBER", "DOUBLE": "FLOAT", "JSON": "VARIANT"}
    return names.get(kind, "TIMESTAMP_NTZ" if kind == "TIMESTAMP" else kind)


def _reference(
    policy: str, kind: str, entity: str, domain: str, column: str | None, columns: str | None, tag: str | None
) -> dict[str, str | None]:
    schema, name = entity.split(".", 1)
    tag_schema, tag_name = tag.split(".", 1) if tag else (None, None)
    return {
        "policy_name": policy.split(".", 1)[1],
        "policy_kind": kind,
        "ref_schema_name": schema,
        "ref_entity_name": name,
        "ref_entity_domain": domain,
        "ref_column_name": column,
        "ref_arg_column_names": columns,
        "tag_schema": tag_schema,
        "tag_name": tag_name,
    }


def _pattern(text: str) -> re.Pattern[str]:
    text = text.replace("NAME", NAME).replace("TEXT", r"('(?:[^'\\]|\\.|'')*')").replace(" ", r"\s+")
    return re.compile(text, re.I | re.S)


_POLICY = r"create (?:or replace )?(masking|row access) policy (?:if not exists )?NAME as \((.*?)\) returns ([\w(),]+) -> (.*?)"

_STATEMENTS: list[tuple[re.Pattern[str], Callable[..., None]]] = [
    (_pattern(r"create role (?:if not exists )?NAME(?: comment = TEXT)?"), Governance._create_role),
    (_pattern("alter role NAME set comment = TEXT"), Governance._comment_role),
    (_pattern("drop role (?:if exists )?NAME"), Governance._drop_role),
    (_pattern("(grant|revoke) role NAME (?:to|from) (role|user) NAME"), Governance._give_role),
    (
        _pattern(r"(grant|revoke) (.+?) on future (\w+) in (schema|database) NAME (?:to|from) role NAME"),
        Governance._grant_future,
    ),
    (_pattern(r"(grant|revoke) (.+?) on all (\w+) in schema NAME (?:to|from) role NAME"), Governance._grant_all),
    (_pattern(r"(grant|revoke) (.+?) on ([\w ]+?) NAME (?:to|from) role NAME"), Governance._grant),
    (
        _pattern(r"create tag (?:if not exists )?NAME(?: allowed_values (.*?))?(?: comment = TEXT)?"),
        Governance._create_tag,
    ),
    (_pattern("alter tag NAME set comment = TEXT"), Governance._comment_tag),
    (_pattern("alter tag NAME unset allowed_values"), Governance._unset_values),
    (_pattern("alter tag NAME add allowed_values (.*)"), Governance._add_values),
    (_pattern("alter tag NAME drop allowed_values (.*)"), Governance._drop_values),
    (_pattern("drop tag (?:if exists )?NAME"), Governance._drop_tag),
    (
        _pattern(_POLICY + r"(?: comment = TEXT)?(?: exempt_other_policies = true)?"),
        Governance._create_policy,
    ),
    (_pattern("alter (?:masking|row access) policy NAME set body -> (.*)"), Governance._set_body),
    (_pattern("drop (?:masking|row access) policy (?:if exists )?NAME"), Governance._drop_policy),
    (_pattern("alter tag NAME set masking policy NAME( force)?"), Governance._mask_tag),
    (_pattern("alter tag NAME unset masking policy NAME"), Governance._unmask_tag),
    (
        _pattern("alter table NAME modify column NAME set masking policy NAME( force)?"),
        Governance._mask_column,
    ),
    (_pattern("alter table NAME modify column NAME unset masking policy"), Governance._unmask_column),
    (
        _pattern(r"alter table NAME(?: drop row access policy NAME,)? add row access policy NAME on \((.*?)\)"),
        Governance._filter,
    ),
    (_pattern("alter table NAME drop row access policy NAME"), Governance._unfilter),
    (_pattern("alter (?:table|view) NAME(?: modify column NAME)? set tag NAME = TEXT"), Governance._set_tag),
    (_pattern("alter (?:table|view) NAME(?: modify column NAME)? unset tag NAME"), Governance._unset_tag),
]

_QUESTIONS: list[tuple[re.Pattern[str], Callable[..., tuple[list[str], Rows]]]] = [
    (_pattern("show roles"), Governance._show_roles),
    (_pattern("show grants to role NAME"), Governance._show_grants_to),
    (_pattern("show grants of role NAME"), Governance._show_grants_of),
    (_pattern("show future grants in (schema|database) NAME"), Governance._show_future),
    (_pattern("show tags in schema NAME"), Governance._show_tags),
    (_pattern("show (masking|row access) policies in schema NAME"), Governance._show_policies),
    (_pattern("describe (?:masking|row access) policy NAME"), Governance._describe),
]

_REFERENCES = _pattern(
    r"select ([\w, ]+) from table\(information_schema\.(policy_references|tag_references_all_columns)"
    r"\((?:policy_name => )?TEXT(?:, 'table')?\)\)(?: where tag_schema = TEXT)?"
)
