"""Allows roles the batch form of every call that they may make.

AWS authorizes a batch call by the action of the single call: `SendMessageBatch` by `sqs:SendMessage`,
`BatchExecuteStatement` by `dynamodb:PartiQLInsert` and so on. The emulator asks for actions of the batches' own
names, which AWS does not have. So every role that has the single action also gets the batch's, on the same
resources; a role without it still fails, as on AWS. It can go once a stack works without it.
"""

import roles

BATCHES = {
    "sqs:SendMessage": "sqs:SendMessageBatch",
    "sqs:ChangeMessageVisibility": "sqs:ChangeMessageVisibilityBatch",
    "dynamodb:PartiQLInsert": "dynamodb:BatchExecuteStatement",
    "dynamodb:PartiQLUpdate": "dynamodb:BatchExecuteStatement",
}

# The emulator cannot tell which tables the statements of a batch are for.
ANYWHERE = {"dynamodb:BatchExecuteStatement"}


def allow(deployed):
    roles.grant(deployed, "emulator-batches", batches)


def batches(statement):
    for action in roles.actions(statement):
        if batch := BATCHES.get(action):
            resource = "*" if batch in ANYWHERE else statement["Resource"]
            yield {"Effect": "Allow", "Action": batch, "Resource": resource}
