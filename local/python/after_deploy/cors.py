"""Lets the pages of `CorsOrigins` call the HTTP API.

The emulator ignores the OpenAPI `Body` of an `AWS::ApiGatewayV2::Api`, and with it what browsers are told about other
origins. This reads that there, and sets it through the public API. The origins themselves are taken from the parameter,
because the emulator transforms the template with the parameter's default. It can go once `get_api` of a freshly deployed
stack shows its `CorsConfiguration`.
"""

import boto3

EXTENSION = "x-amazon-apigateway-cors"


def allow(template, parameters, deployed):
    origins = parameters["CorsOrigins"]
    if not origins:
        return
    gateway = boto3.client("apigatewayv2")
    for name, api_id in deployed["AWS::ApiGatewayV2::Api"].items():
        _, declared, _ = template["Resources"][name]["Properties"]["Body"][EXTENSION]["Fn::If"]
        configuration = {key[0].upper() + key[1:]: value for key, value in declared.items()}
        gateway.update_api(ApiId=api_id, CorsConfiguration={**configuration, "AllowOrigins": origins.split(",")})
