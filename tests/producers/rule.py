"""Deploys the page's rule for a queue, and puts an event on the default bus."""

import json
import sys

import boto3


def main(queue_url, template, event):
    queue = boto3.client("sqs").get_queue_attributes(QueueUrl=queue_url, AttributeNames=["QueueArn"])
    cloudformation = boto3.client("cloudformation")
    parameter = {"ParameterKey": "EventsQueueArn", "ParameterValue": queue["Attributes"]["QueueArn"]}
    cloudformation.create_stack(StackName="producer", TemplateBody=template, Parameters=[parameter])
    cloudformation.get_waiter("stack_create_complete").wait(StackName="producer", WaiterConfig={"Delay": 1})
    entry = {
        "Source": event["source"],
        "DetailType": event["detail-type"],
        "Time": event["time"],
        "Detail": json.dumps(event["detail"]),
    }
    answer = boto3.client("events").put_events(Entries=[entry])
    sys.exit(answer["FailedEntryCount"])


if __name__ == "__main__":
    main(sys.argv[1], **json.load(sys.stdin))
