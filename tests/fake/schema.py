#!/usr/bin/env python3
"""An editor: schema.py SCHEMA FILE.yaml... prints "FILE: where: what is wrong" for each fault that SCHEMA finds.

A FILE.md stands for the YAML blocks in it that are documents of this kind: those with a key of the schema at their top.
Exit status 3: python3 has no jsonschema or no yaml here.
"""
import json
import re
import sys

try:
    import jsonschema
    import yaml
except ImportError:
    sys.exit(3)


class Core(yaml.SafeLoader):
    """YAML 1.2 as Leat and editors read it: a date is text."""


Core.yaml_implicit_resolvers = {
    first: [(tag, what) for tag, what in rows if tag != "tag:yaml.org,2002:timestamp"]
    for first, rows in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def documents(name, own):
    with open(name, encoding="utf-8") as f:
        text = f.read()
    if not name.endswith(".md"):
        yield yaml.load(text, Loader=Core) or {}
        return
    for block in re.findall(r"```yaml\n(.*?)```", text, re.S):
        document = yaml.load(block, Loader=Core)
        if isinstance(document, dict) and next(iter(document)) in own:
            yield document


def main():
    with open(sys.argv[1], encoding="utf-8") as f:
        schema = json.load(f)
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    seen = 0
    for name in sys.argv[2:]:
        for document in documents(name, schema["properties"]):
            seen += 1
            for fault in validator.iter_errors(document):
                print(f"{name}: {'.'.join(map(str, fault.path))}: {fault.message[:200]}")
    print(f"{seen} documents", file=sys.stderr)


if __name__ == "__main__":
    main()
