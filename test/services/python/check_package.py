"""What Frictionless finds wrong with a data package: the descriptor, and of CSV sizes, hashes, every cell, key and reference.

Of Parquet it reads by pandas, which rounds large integers where some are missing: there only the descriptor.

usage: check_package.py FOLDER
"""

import json
import os
import sys

from frictionless import Package

os.chdir(sys.argv[1])
report = Package.validate_descriptor("datapackage.json")
errors = report.flatten(["type", "note"])
package = Package("datapackage.json")
if all(resource.format == "csv" for resource in package.resources):
    report = package.validate()
    errors += report.flatten(["name", "type", "note"])
    errors += [f"{task.name} was not read" for task in report.tasks if not task.stats.get("rows")]
print(json.dumps(errors))
