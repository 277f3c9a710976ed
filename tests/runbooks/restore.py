"""Walks "Restoring a table" of docs/operating.md in the emulator, on a stack of its own that is made of the deployed
template: a table is restored under another name, equipped, and taken over by the stack.

Run with the emulator's interpreter, `AWS_ENDPOINT_URL`, the name of the deployed stack, and the table's name in the
template. Says what it found in one line of JSON.
"""

import copy
import json
import pathlib
import subprocess
import sys
import tempfile

import boto3

ADOPT = pathlib.Path(__file__).parents[2] / "runbooks/adopt_table.py"
# Everything that refers to a table: roles, a function, and the source that reads a stream.
KEPT_TYPES = {
    "AWS::DynamoDB::Table",
    "AWS::IAM::Role",
    "AWS::SQS::Queue",
    "AWS::Scheduler::ScheduleGroup",
}
KEPT = {"PurgeFunction", "PurgeFunctionDeletedEndpoints", "PurgeLogGroup"}

cloudformation = boto3.client("cloudformation")
dynamodb = boto3.client("dynamodb")
functions = boto3.client("lambda")


def main(deployed_stack, table):
    stack = f"restoring-{table}"
    template = stack_template(deployed_stack, table)
    cloudformation.create_stack(StackName=stack, TemplateBody=json.dumps(template), Capabilities=["CAPABILITY_IAM"])
    cloudformation.get_waiter("stack_create_complete").wait(StackName=stack, WaiterConfig={"Delay": 1})
    old = physical(stack, table)
    fill(table, old)

    new = restore(template["Resources"][table]["Properties"], old)
    if table == "DeliveriesTable":
        void_counts(new)
    without, with_table = adopt(template, table, new)
    update(stack, without)
    import_table(stack, with_table, table, new)
    update(stack, template)

    roles = [
        physical(stack, name)
        for name, resource in template["Resources"].items()
        # What a parameter turns on is not in this stack.
        if "IAM::Role" in resource["Type"] and "Condition" not in resource
    ]
    found = {
        "taken_over": physical(stack, table) == new,
        "old_is_kept": exists(old),
        "old_is_protected": dynamodb.describe_table(TableName=old)["Table"]["DeletionProtectionEnabled"],
        "items": dynamodb.scan(TableName=new)["Items"],
        "function_uses": "new" if new in environment(stack) else "old",
        "stream_is_read": stream_is_read(stack, new),
        "roles_name": sorted({name for role in roles for name in (old, new) if named(role, name, old, new)}) == [new],
        "status": cloudformation.describe_stacks(StackName=stack)["Stacks"][0]["StackStatus"],
    }
    cloudformation.delete_stack(StackName=stack)
    print(json.dumps(found))


def stack_template(deployed_stack, table):
    """The deployed template, of which what refers to the table is enough; CloudFormation takes 51,200 bytes in a request."""
    template = cloudformation.get_template(StackName=deployed_stack, TemplateStage="Processed")["TemplateBody"]
    template = json.loads(template) if isinstance(template, str) else copy.deepcopy(template)
    template["Resources"] = {
        name: resource
        for name, resource in template["Resources"].items()
        if name in KEPT or resource["Type"] in KEPT_TYPES and not is_role_for_others(resource, table)
    }
    for resource in template["Resources"].values():
        properties = resource.get("Properties", {})
        properties.pop("ManagedPolicyArns", None)
        for policy in properties.get("Policies", []):
            document = policy["PolicyDocument"]
            document["Statement"] = [one for one in document["Statement"] if one.get("Sid") != "WriteLogs"]
    # The function is never invoked, and its real code takes the emulator seconds to unpack.
    nothing = {"Code": {"ZipFile": "def handler(event, context): pass"}, "Runtime": "python3.12", "Handler": "index.handler"}
    template["Resources"]["PurgeFunction"]["Properties"].update(nothing)
    del template["Outputs"]
    return template


def is_role_for_others(resource, table):
    return resource["Type"] == "AWS::IAM::Role" and table not in json.dumps(resource)


def fill(table, name):
    if table == "DeliveriesTable":
        for endpoint in ("whe_1", "whe_1#counts", "whe_1#hours", "whe_1#late"):
            put(name, endpoint=endpoint, delivery="del_1")
    else:
        put(name, workspace="ws_1", endpoint="whe_1")


def put(name, **attributes):
    dynamodb.put_item(TableName=name, Item={key: {"S": value} for key, value in attributes.items()})


def restore(properties, old):
    new = f"{old}-restored"
    dynamodb.restore_table_to_point_in_time(SourceTableName=old, TargetTableName=new, UseLatestRestorableTime=True)
    dynamodb.get_waiter("table_exists").wait(TableName=new)
    dynamodb.update_continuous_backups(
        TableName=new, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True}
    )
    dynamodb.update_table(TableName=new, DeletionProtectionEnabled=True)
    if "TimeToLiveSpecification" in properties:
        dynamodb.update_time_to_live(TableName=new, TimeToLiveSpecification=properties["TimeToLiveSpecification"])
    if "StreamSpecification" in properties:
        stream = {"StreamEnabled": True, **properties["StreamSpecification"]}
        dynamodb.update_table(TableName=new, StreamSpecification=stream)
    return new


def void_counts(name):
    kept = dynamodb.scan(
        TableName=name,
        FilterExpression="contains(endpoint, :counts) OR contains(endpoint, :hours)",
        ExpressionAttributeValues={":counts": {"S": "#counts"}, ":hours": {"S": "#hours"}},
        ProjectionExpression="endpoint, delivery",
    )
    for key in kept["Items"]:
        dynamodb.delete_item(TableName=name, Key=key)


def adopt(template, table, new):
    with tempfile.TemporaryDirectory() as folder:
        files = {"deployed.json": template, "restored.json": dynamodb.describe_table(TableName=new)}
        for file, content in files.items():
            pathlib.Path(folder, file).write_text(json.dumps(content, default=str))
        subprocess.run([sys.executable, "-B", ADOPT, table, *files], cwd=folder, check=True, stdout=subprocess.DEVNULL)
        return [json.loads(pathlib.Path(folder, file).read_text()) for file in ("without.json", "with.json")]


def update(stack, template):
    cloudformation.update_stack(StackName=stack, TemplateBody=json.dumps(template), Capabilities=["CAPABILITY_IAM"])
    cloudformation.get_waiter("stack_update_complete").wait(StackName=stack, WaiterConfig={"Delay": 1})


def import_table(stack, template, table, new):
    cloudformation.create_change_set(
        StackName=stack,
        ChangeSetName="restored",
        ChangeSetType="IMPORT",
        TemplateBody=json.dumps(template),
        Capabilities=["CAPABILITY_IAM"],
        ResourcesToImport=[
            {
                "ResourceType": "AWS::DynamoDB::Table",
                "LogicalResourceId": table,
                "ResourceIdentifier": {"TableName": new},
            }
        ],
    )
    cloudformation.get_waiter("change_set_create_complete").wait(
        StackName=stack, ChangeSetName="restored", WaiterConfig={"Delay": 1}
    )
    cloudformation.execute_change_set(StackName=stack, ChangeSetName="restored")
    cloudformation.get_waiter("stack_import_complete").wait(StackName=stack, WaiterConfig={"Delay": 1})


def physical(stack, name):
    found = cloudformation.describe_stack_resource(StackName=stack, LogicalResourceId=name)
    return found["StackResourceDetail"]["PhysicalResourceId"]


def exists(table):
    return dynamodb.describe_table(TableName=table)["Table"]["TableStatus"] == "ACTIVE"


def environment(stack):
    function = functions.get_function_configuration(FunctionName=physical(stack, "PurgeFunction"))
    return function["Environment"]["Variables"].values()


def stream_is_read(stack, new):
    stream = dynamodb.describe_table(TableName=new)["Table"].get("LatestStreamArn")
    mapping = functions.get_event_source_mapping(UUID=physical(stack, "PurgeFunctionDeletedEndpoints"))
    return None if stream is None else mapping["EventSourceArn"] == stream


def named(role, name, old, new):
    """Whether a policy of the role names this table, and not one whose name merely begins like it."""
    iam = boto3.client("iam")
    documents = [
        iam.get_role_policy(RoleName=role, PolicyName=policy)["PolicyDocument"]
        for policy in iam.list_role_policies(RoleName=role)["PolicyNames"]
    ]
    text = json.dumps(documents)
    return (new in text) if name == new else (f"/{old}" in text.replace(new, ""))


if __name__ == "__main__":
    main(*sys.argv[1:])
