"""Creates the routes of the HTTP API.

The emulator ignores the OpenAPI `Body` of an `AWS::ApiGatewayV2::Api`, so the API has none. This reads
that `Body` from the processed template and creates the same integrations and routes through the public API.
It can go once `get_routes` of a freshly deployed stack lists them.
"""

import re

import boto3


def wire(template, deployed):
    gateway = boto3.client("apigatewayv2")
    for name, api_id in deployed["AWS::ApiGatewayV2::Api"].items():
        paths = template["Resources"][name]["Properties"]["Body"]["paths"]
        for path, methods in paths.items():
            for method, operation in methods.items():
                integration = operation["x-amazon-apigateway-integration"]
                create_route(gateway, api_id, f"{method.upper()} {path}", integration, deployed)


def create_route(gateway, api_id, route_key, integration, deployed):
    created = gateway.create_integration(
        ApiId=api_id,
        IntegrationType="AWS_PROXY",
        IntegrationMethod=integration["httpMethod"],
        IntegrationUri=resolve(integration["uri"], deployed),
        PayloadFormatVersion=integration["payloadFormatVersion"],
    )
    target = f"integrations/{created['IntegrationId']}"
    gateway.create_route(ApiId=api_id, RouteKey=route_key, Target=target)


def resolve(uri, deployed):
    """The ARN of the function in the integration's `Fn::Sub`."""
    function = re.search(r"\$\{(\w+)\.Arn\}", uri["Fn::Sub"]).group(1)
    name = deployed["AWS::Lambda::Function"][function]
    return boto3.client("lambda").get_function_configuration(FunctionName=name)["FunctionArn"]
