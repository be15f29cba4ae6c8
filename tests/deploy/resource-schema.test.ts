import { loadAwsServiceSpec } from "@aws-cdk/aws-service-spec";
import { describe, expect, it } from "@jest/globals";

import { faultsOf } from "./resource-schema.ts";
import type { Resource } from "./template.ts";

const spec = await loadAwsServiceSpec();
const table = { KeySchema: [{ AttributeName: "pk", KeyType: "HASH" }],
  AttributeDefinitions: [{ AttributeName: "pk", AttributeType: "S" }],
  PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true } };

describe("the check against AWS's resource schemas", () => {
  const right: { case: string; resource: Resource }[] = [
    { case: "a queue with nothing set", resource: { Type: "AWS::SQS::Queue", Properties: {} } },
    { case: "strings, numbers and booleans",
      resource: { Type: "AWS::SQS::Queue",
        Properties: { QueueName: "q.fifo", VisibilityTimeout: 30, FifoQueue: true } } },
    { case: "nested objects in lists", resource: { Type: "AWS::DynamoDB::Table", Properties: table } },
    { case: "a function of CloudFormation in place of any value",
      resource: { Type: "AWS::SQS::Queue", Properties: { VisibilityTimeout: { Ref: "AWS::Region" } } } },
    { case: "a map of strings",
      resource: { Type: "AWS::Lambda::Function",
        Properties: { Code: {}, Role: "r", Environment: { Variables: { STAGE: "x" } } } } },
    { case: "a reference to itself through Sub",
      resource: { Type: "AWS::SNS::Topic",
        Properties: { TopicName: { "Fn::Sub": "${It}-${AWS::Region}-${!kept}" } } } },
  ];
  it.each(right)("accepts $case", ({ resource }) => {
    expect(faultsOf({ Resources: { It: resource }, Conditions: {}, Outputs: {} }, spec)).toEqual([]);
  });

  const wrong: { case: string; resource: Resource; fault: string }[] = [
    { case: "an unknown resource type", resource: { Type: "AWS::SQS::Kueue", Properties: {} },
      fault: "It: AWS knows no type AWS::SQS::Kueue" },
    { case: "an unknown property", resource: { Type: "AWS::SQS::Queue", Properties: { VisibilityTimeOut: 30 } },
      fault: "It: unknown property VisibilityTimeOut" },
    { case: "an unknown property deep inside",
      resource: { Type: "AWS::DynamoDB::Table",
        Properties: { ...table,
          PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true, Enabled: true } } },
      fault: "It.PointInTimeRecoverySpecification: unknown property Enabled" },
    { case: "a missing required property", resource: { Type: "AWS::DynamoDB::Table", Properties: {} },
      fault: "It: KeySchema is required" },
    { case: "a missing required property in a list",
      resource: { Type: "AWS::DynamoDB::Table",
        Properties: { ...table, AttributeDefinitions: [{ AttributeName: "pk" }] } },
      fault: "It.AttributeDefinitions[0]: AttributeType is required" },
    { case: "a string for a number", resource: { Type: "AWS::SQS::Queue", Properties: { VisibilityTimeout: "long" } },
      fault: 'It.VisibilityTimeout: "long" is not an integer' },
    { case: "a number for a string", resource: { Type: "AWS::SQS::Queue", Properties: { QueueName: 7 } },
      fault: "It.QueueName: 7 is not a string" },
    { case: "a string for a boolean", resource: { Type: "AWS::SQS::Queue", Properties: { FifoQueue: "yes" } },
      fault: 'It.FifoQueue: "yes" is not true or false' },
    { case: "an object for a list",
      resource: { Type: "AWS::SQS::QueuePolicy", Properties: { Queues: {}, PolicyDocument: {} } },
      fault: "It.Queues: {} is not a list" },
    { case: "a list for an object", resource: { Type: "AWS::Lambda::Function", Properties: { Code: [], Role: "r" } },
      fault: "It.Code: [] is not an object" },
    { case: "a Ref to nothing", resource: { Type: "AWS::SQS::Queue", Properties: { QueueName: { Ref: "Gone" } } },
      fault: "It: refers to Gone, which is not in the template" },
    { case: "a GetAtt of nothing",
      resource: { Type: "AWS::SQS::Queue", Properties: { QueueName: { "Fn::GetAtt": ["Gone", "Arn"] } } },
      fault: "It: refers to Gone, which is not in the template" },
    { case: "a Sub of nothing",
      resource: { Type: "AWS::SQS::Queue", Properties: { QueueName: { "Fn::Sub": "a-${Gone.Arn}" } } },
      fault: "It: refers to Gone, which is not in the template" },
    { case: "a DependsOn of nothing", resource: { Type: "AWS::SQS::Queue", Properties: {}, DependsOn: "Gone" },
      fault: "It: refers to Gone, which is not in the template" },
    { case: "a condition that is not there", resource: { Type: "AWS::SQS::Queue", Properties: {}, Condition: "Gone" },
      fault: "It: no condition Gone" },
  ];
  it.each(wrong)("refuses $case", ({ resource, fault }) => {
    expect(faultsOf({ Resources: { It: resource }, Conditions: {}, Outputs: {} }, spec)).toEqual([fault]);
  });
});
