"""Adds to what the deployed roles may do."""

import json

import boto3


def grant(deployed, name, additions):
    """Gives each role a policy of this name with what `additions` yields for its statements."""
    iam = boto3.client("iam")
    for role in deployed["AWS::IAM::Role"].values():
        granted = [addition for statement in statements(iam, role) for addition in additions(statement)]
        if granted:
            policy = {"Version": "2012-10-17", "Statement": granted}
            iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=json.dumps(policy))


def statements(iam, role):
    for name in iam.list_role_policies(RoleName=role)["PolicyNames"]:
        document = iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
        yield from (json.loads(document) if isinstance(document, str) else document)["Statement"]


def actions(statement):
    found = statement["Action"]
    return [found] if isinstance(found, str) else found
