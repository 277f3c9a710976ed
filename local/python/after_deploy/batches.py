"""Lets the roles that may do a thing do it in batches.

AWS authorizes a batch call by the action of the single one: `SendMessageBatch` by `sqs:SendMessage`,
`BatchExecuteStatement` by `dynamodb:PartiQLInsert` and so on. The emulator asks for actions of the batches' own
names, which AWS does not have. So every role that has the single action gets the batch's too, on the same
resources; a role that has it not still fails, as on AWS. It can go once a stack works without it.
"""

import json

import boto3

BATCHES = {
    "sqs:SendMessage": "sqs:SendMessageBatch",
    "sqs:ChangeMessageVisibility": "sqs:ChangeMessageVisibilityBatch",
    "dynamodb:PartiQLInsert": "dynamodb:BatchExecuteStatement",
    "dynamodb:PartiQLUpdate": "dynamodb:BatchExecuteStatement",
}

# The emulator does not see which tables the statements of a batch concern.
ANYWHERE = {"dynamodb:BatchExecuteStatement"}


def allow(deployed):
    iam = boto3.client("iam")
    for role in deployed["AWS::IAM::Role"].values():
        granted = [batch for statement in statements(iam, role) for batch in batches(statement)]
        if granted:
            policy = {"Version": "2012-10-17", "Statement": granted}
            iam.put_role_policy(RoleName=role, PolicyName="emulator-batches", PolicyDocument=json.dumps(policy))


def statements(iam, role):
    for name in iam.list_role_policies(RoleName=role)["PolicyNames"]:
        document = iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
        yield from (json.loads(document) if isinstance(document, str) else document)["Statement"]


def batches(statement):
    actions = statement["Action"]
    for action in [actions] if isinstance(actions, str) else actions:
        if batch := BATCHES.get(action):
            resource = "*" if batch in ANYWHERE else statement["Resource"]
            yield {"Effect": "Allow", "Action": batch, "Resource": resource}
