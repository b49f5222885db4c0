"""Holds events against OpenLineage's own classes, which are made from its schema: what these do not have, or need, is an error.

usage: check_lineage.py FILE, of an event a line; prints how many there were.
"""

import json
import sys
import types
import typing
from enum import Enum
from pathlib import Path

import attr
from openlineage.client.event_v2 import RunEvent
from openlineage.client.generated.error_message_run import ErrorMessageRunFacet
from openlineage.client.generated.output_statistics_output_dataset import OutputStatisticsOutputDatasetFacet
from openlineage.client.generated.parent_run import ParentRunFacet
from openlineage.client.generated.processing_engine_run import ProcessingEngineRunFacet
from openlineage.client.generated.schema_dataset import SchemaDatasetFacet

FACETS = {
    "errorMessage": ErrorMessageRunFacet,
    "outputStatistics": OutputStatisticsOutputDatasetFacet,
    "parent": ParentRunFacet,
    "processing_engine": ProcessingEngineRunFacet,
    "schema": SchemaDatasetFacet,
}


def made(cls, value):
    hints = typing.get_type_hints(cls)
    arguments = {}
    for key, inner in value.items():
        if key in ("schemaURL", "_schemaURL"):
            assert inner == cls._get_schema(), f"{inner}, not {cls._get_schema()}"
        elif key == "_producer":
            arguments["producer"] = inner
        elif key.lower().endswith("facets"):
            assert key in hints, f"{cls.__name__} has no {key}"
            arguments[key] = {name: made(FACETS[name], facet) for name, facet in inner.items()}
        else:
            arguments[key] = converted(hints[key], inner)
    return cls(**arguments)


def converted(hint, value):
    if isinstance(hint, types.UnionType) or typing.get_origin(hint) is typing.Union:
        (hint,) = (one for one in typing.get_args(hint) if one is not type(None))
    if typing.get_origin(hint) is list:
        return [converted(typing.get_args(hint)[0], one) for one in value]
    if attr.has(hint):
        return made(hint, value)
    if issubclass(hint, Enum):
        return hint(value)
    assert type(value) is hint, f"{value!r} is no {hint.__name__}"
    return value


lines = Path(sys.argv[1]).read_text().splitlines()
for line in lines:
    made(RunEvent, json.loads(line))
print(len(lines))
