# SPDX-License-Identifier: BSD-2-Clause
"""check_ecs.py SCHEMA DOCUMENTS: validates each line of DOCUMENTS, and proves that the validator would have refused.

Exit: 0 valid, 1 not, 77 what it needs is not installed.
"""
import copy
import json
import sys

try:
    from jsonschema import Draft202012Validator
except ImportError:
    sys.exit(77)

with open(sys.argv[1], encoding="utf-8") as file:
    schema = json.load(file)
schema["properties"]["bindwatch"] = {"type": "object"}  # our own root
validator = Draft202012Validator(schema)

with open(sys.argv[2], encoding="utf-8") as file:
    documents = [json.loads(line) for line in file]
failures = 0
for number, document in enumerate(documents, 1):
    for error in validator.iter_errors(document):
        print(f"document {number}: {'.'.join(map(str, error.path))}: {error.message}")
        failures += 1

# a schema that accepts anything would prove nothing
MUTATIONS = {
    "a root that ECS does not have": lambda d: d.update(nonsense=1),
    "a port as a string": lambda d: d["server"].update(port="80"),
    "a type that is no array": lambda d: d["event"].update(type="start"),
    "a kind of our own": lambda d: d["event"].update(kind="bind"),
    "arguments as one string": lambda d: d["process"].update(args="nginx -g"),
    "a capability in small letters": lambda d: d["process"]["thread"].update(capabilities={"effective": ["cap_chown"]}),
    "a start that is a number": lambda d: d["process"].update(start=1),
    "a container's name of our own": lambda d: d.update(container={"podman": "x"}),
    "a tag that is no array": lambda d: d.update(container={"image": {"tag": "1.27"}}),
    "a timestamp that is none": lambda d: d.update({"@timestamp": "yesterday"}),
}
for what, mutate in MUTATIONS.items():
    broken = copy.deepcopy(documents[0])
    mutate(broken)
    if validator.is_valid(broken):
        print(f"the validator accepts {what}")
        failures += 1

print(f"{len(documents)} documents, {failures} failures")
sys.exit(1 if failures or not documents else 0)
