"""Writes the two templates with which a stack takes over a restored table (docs/operating.md, "Restoring a table").

CloudFormation can't rename a table, and imports one only under a name that its stack does not have at that moment. So
the first template, `without.json`, has no such table and names the restored one wherever it was referred to; updating
the stack with it makes the functions use the restored table, and leaves the old one outside the stack. The second,
`with.json`, is the first and the table again; it is for the import. After that the template of the release fits.

    aws cloudformation get-template --stack-name STACK --template-stage Processed --query TemplateBody > deployed.json
    aws dynamodb describe-table --table-name RESTORED > restored.json
    python3 runbooks/adopt_table.py DeliveriesTable deployed.json restored.json

Nothing but Python's own library is used.
"""

import json
import re
import sys


def main(logical_id, deployed, restored):
    template, table = read(deployed), read(restored)["Table"]
    if not isinstance(template, dict):
        sys.exit(f"{deployed} is not what SAM made of a release's template: deploy that first")
    declared = template["Resources"].pop(logical_id, None)
    if declared is None or declared["Type"] != "AWS::DynamoDB::Table":
        sys.exit(f"{deployed} has no table {logical_id}")
    if "DeletionPolicy" not in declared:
        sys.exit(f"{logical_id} has no DeletionPolicy, so the update would delete it, and nothing could be imported")
    if "StreamSpecification" in declared["Properties"] and "LatestStreamArn" not in table:
        sys.exit(f"give {table['TableName']} its stream first")
    missing = index_names(declared["Properties"]) - index_names(table)
    if missing:
        sys.exit(f"give {table['TableName']} its index {', '.join(sorted(missing))} first")
    template = without(template, logical_id, values(table))
    write("without.json", template)
    template["Resources"][logical_id] = declared
    write("with.json", template)


def index_names(table):
    return {index["IndexName"] for index in table.get("GlobalSecondaryIndexes", [])}


def values(table):
    """What `Ref` and `Fn::GetAtt` give for the restored table."""
    found = {"": table["TableName"], "Arn": table["TableArn"], "StreamArn": table.get("LatestStreamArn")}
    return {attribute: value for attribute, value in found.items() if value}


def without(value, logical_id, values):
    """The same, with every reference to the table replaced by its value."""
    if isinstance(value, list):
        return [without(entry, logical_id, values) for entry in value]
    if not isinstance(value, dict):
        return value
    if value == {"Ref": logical_id}:
        return values[""]
    if list(value) == ["Fn::GetAtt"]:
        name, _, attribute = ".".join(as_list(value["Fn::GetAtt"])).partition(".")
        return values[attribute] if name == logical_id else value
    if list(value) == ["Fn::Sub"]:
        return {"Fn::Sub": filled_in(value["Fn::Sub"], logical_id, values)}
    return {
        key: independent(entry, logical_id) if key == "DependsOn" else without(entry, logical_id, values)
        for key, entry in value.items()
    }


def filled_in(text, logical_id, values):
    """The text of an `Fn::Sub`, which may come with a map, with the table's values in it."""
    if isinstance(text, list):
        return [filled_in(text[0], logical_id, values), without(text[1], logical_id, values)]
    reference = re.compile(r"\$\{" + logical_id + r"(?:\.(\w+))?\}")
    return reference.sub(lambda match: values[match.group(1) or ""], text)


def independent(names, logical_id):
    return [name for name in as_list(names) if name != logical_id]


def as_list(value):
    return value if isinstance(value, list) else [value]


def read(path):
    with open(path) as file:
        return json.load(file)


def write(path, template):
    with open(path, "w") as file:
        json.dump(template, file, indent=1)
    print(path)


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    main(*sys.argv[1:])
