"""Does what the emulator leaves undone with the deployed template, and records what was deployed.

Each correction has its own module, which says when it can go. None of them changes the template. Run with the
emulator's interpreter, `AWS_ENDPOINT_URL`, the name of the stack and the JSON file to write.
"""

import json
import sys

import boto3

import batches
import concurrency
import cors
import routes
import schedules


def main(stack, answer):
    cloudformation = boto3.client("cloudformation")
    template = cloudformation.get_template(StackName=stack, TemplateStage="Processed")["TemplateBody"]
    if isinstance(template, str):
        template = json.loads(template)
    deployed = names_by_type(cloudformation, stack)
    routes.wire(template, deployed)
    cors.allow(template, parameters(cloudformation, stack), deployed)
    batches.allow(deployed)
    schedules.allow(deployed)
    concurrency.repair(deployed)
    with open(answer, "w") as file:
        json.dump(description(deployed), file)


def parameters(cloudformation, stack):
    """`{name: value}`, with which the stack was deployed."""
    described = cloudformation.describe_stacks(StackName=stack)["Stacks"][0]["Parameters"]
    return {parameter["ParameterKey"]: parameter["ParameterValue"] for parameter in described}


def names_by_type(cloudformation, stack):
    """`{type: {name in the template: deployed name}}` for the whole stack."""
    deployed = {}
    for page in cloudformation.get_paginator("list_stack_resources").paginate(StackName=stack):
        for resource in page["StackResourceSummaries"]:
            names = deployed.setdefault(resource["ResourceType"], {})
            names[resource["LogicalResourceId"]] = resource["PhysicalResourceId"]
    return deployed
def description(deployed):
    return {
        "api_id": next(iter(deployed["AWS::ApiGatewayV2::Api"].values())),
        "functions": deployed["AWS::Lambda::Function"],
        "tables": deployed["AWS::DynamoDB::Table"],
        "queues": deployed["AWS::SQS::Queue"],
        "log_groups": deployed["AWS::Logs::LogGroup"],
    }
if __name__ == "__main__":
    main(*sys.argv[1:])
