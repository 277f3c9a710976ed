"""What an account has before somebody deploys: creates it and prints what the test must know of it.

    prepare.py user POLICY    a user with the policy in this file; prints an access key
    prepare.py api            an API and a hosted zone; prints the id of each
"""

import sys

import boto3


def user(policy):
    iam = boto3.client("iam")
    iam.create_user(UserName="deployer")
    created = iam.create_policy(PolicyName="deployer", PolicyDocument=open(policy).read())
    iam.attach_user_policy(UserName="deployer", PolicyArn=created["Policy"]["Arn"])
    key = iam.create_access_key(UserName="deployer")["AccessKey"]
    print(key["AccessKeyId"], key["SecretAccessKey"])


def api():
    gateway = boto3.client("apigatewayv2")
    created = gateway.create_api(Name="api", ProtocolType="HTTP")
    gateway.create_stage(ApiId=created["ApiId"], StageName="$default", AutoDeploy=True)
    zone = boto3.client("route53").create_hosted_zone(Name="example.com", CallerReference="test")
    print(created["ApiId"], zone["HostedZone"]["Id"].rpartition("/")[2])


if __name__ == "__main__":
    {"user": user, "api": api}[sys.argv[1]](*sys.argv[2:])
