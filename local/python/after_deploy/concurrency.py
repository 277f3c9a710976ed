"""Turns the `MaximumConcurrency` of event sources into numbers.

A number that comes from a template parameter reaches the emulator's event source mappings as text. Its poller then
fails to compare it, for every queue. Setting it again through the public API turns it into a number. It can go once
the log of a freshly deployed stack has no "ESM SQS poller error".
"""

import boto3


def repair(deployed):
    client = boto3.client("lambda")
    for mapping in deployed["AWS::Lambda::EventSourceMapping"].values():
        scaling = client.get_event_source_mapping(UUID=mapping).get("ScalingConfig")
        if scaling:
            client.update_event_source_mapping(UUID=mapping, ScalingConfig=scaling)
