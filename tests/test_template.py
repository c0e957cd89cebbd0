"""What template.yaml promises: least privilege, nothing lost, nobody uninformed."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from cli import template
from shipclock import rows
from shipclock.domain.push import GIVE_UP
from shipclock.lane import LEASE

TEMPLATE = template.load()
RESOURCES: dict[str, dict[str, Any]] = TEMPLATE["Resources"]
FUNCTIONS = ("Ingest", "Sweeper", "Hub")


def of_type(kind: str) -> dict[str, dict[str, Any]]:
    """Return the properties of every resource of a type, by name."""
    return {
        name: one.get("Properties", {}) for name, one in RESOURCES.items() if one["Type"] == kind
    }


def as_list(value: Any) -> list[Any]:
    """Return what IAM and CloudFormation allow as one or as several, as several."""
    return value if isinstance(value, list) else [value]


def shown(resource: Any) -> str:
    """Return a policy's resource as a short text."""
    match resource:
        case {"Ref": name}:
            return str(name)
        case {"Fn::GetAtt": [name, attribute]}:
            return f"{name}.{attribute}"
        case {"Fn::Sub": text}:
            return str(text)
        case _:
            return str(resource)


def statements(role: str) -> list[dict[str, Any]]:
    """Return every statement of a role's policies."""
    return [
        statement
        for policy in RESOURCES[role]["Properties"]["Policies"]
        for statement in policy["PolicyDocument"]["Statement"]
    ]


def allowed(role: str) -> set[tuple[str, str]]:
    """Return every pair of action and resource that a role may use."""
    return {
        (action, shown(resource))
        for statement in statements(role)
        for action in as_list(statement["Action"])
        for resource in as_list(statement["Resource"])
    }


ROLES = of_type("AWS::IAM::Role")

PERMISSIONS = {
    "IngestRole": {
        ("dynamodb:PutItem", "Table.Arn"),
        ("secretsmanager:GetSecretValue", "SourcesSecret.Id"),
        ("logs:CreateLogStream", "IngestLogs.Arn"),
        ("logs:PutLogEvents", "IngestLogs.Arn"),
    },
    "SweeperRole": {
        ("dynamodb:ConditionCheckItem", "Table.Arn"),
        ("dynamodb:GetItem", "Table.Arn"),
        ("dynamodb:PutItem", "Table.Arn"),
        ("dynamodb:Query", "Table.Arn"),
        ("dynamodb:UpdateItem", "Table.Arn"),
        ("dynamodb:Query", "${Table.Arn}/index/due"),
        ("dynamodb:Query", "${Table.Arn}/index/board"),
        ("dynamodb:DescribeStream", "Table.StreamArn"),
        ("dynamodb:GetRecords", "Table.StreamArn"),
        ("dynamodb:GetShardIterator", "Table.StreamArn"),
        ("dynamodb:ListStreams", "Table.StreamArn"),
        ("secretsmanager:GetSecretValue", "SourcesSecret.Id"),
        ("secretsmanager:GetSecretValue", "DestinationsSecret.Id"),
        ("events:PutEvents", "Bus.Arn"),
        ("sns:Publish", "Topic"),
        ("sqs:SendMessage", "DeadLetters.Arn"),
        ("logs:CreateLogStream", "SweeperLogs.Arn"),
        ("logs:PutLogEvents", "SweeperLogs.Arn"),
    },
    "HubRole": {
        ("dynamodb:GetItem", "Table.Arn"),
        ("dynamodb:PutItem", "Table.Arn"),
        ("dynamodb:Query", "Table.Arn"),
        ("dynamodb:Query", "${Table.Arn}/index/due"),
        ("dynamodb:Query", "${Table.Arn}/index/board"),
        ("secretsmanager:GetSecretValue", "HubSecret.Id"),
        ("logs:CreateLogStream", "HubLogs.Arn"),
        ("logs:PutLogEvents", "HubLogs.Arn"),
    },
    "ScheduleRole": {("lambda:InvokeFunction", "Sweeper.Arn")},
}


class TestPrivileges:
    def test_every_role_is_on_the_list(self) -> None:
        assert set(ROLES) == set(PERMISSIONS)

    @pytest.mark.parametrize("role", sorted(PERMISSIONS))
    def test_a_role_may_do_exactly_what_is_listed(self, role: str) -> None:
        assert allowed(role) == PERMISSIONS[role]
        assert {statement["Effect"] for statement in statements(role)} == {"Allow"}

    @pytest.mark.parametrize("role", sorted(PERMISSIONS))
    def test_no_wildcard_scan_delete_or_batch_write(self, role: str) -> None:
        for action, resource in allowed(role):
            assert "*" not in action
            assert "*" not in resource
            assert not any(word in action for word in ("Scan", "Delete", "BatchWrite", "PartiQL"))

    def test_the_hub_puts_rows_of_orders_and_what_is_said_of_incidents_alone(self) -> None:
        (put,) = (one for one in statements("HubRole") if one["Action"] == "dynamodb:PutItem")
        only = {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["ORDER#*", "INCIDENTS"]}}
        assert put["Condition"] == only
        assert rows.order_pk("1") == "ORDER#1"
        assert rows.INCIDENTS == "INCIDENTS"

    @pytest.mark.parametrize("role", sorted(PERMISSIONS))
    def test_no_statement_is_turned_round_and_no_managed_policy_added(self, role: str) -> None:
        assert "ManagedPolicyArns" not in ROLES[role]
        for statement in statements(role):
            assert not {"NotAction", "NotResource", "NotPrincipal"} & set(statement)

    def test_every_function_has_its_own_role_and_sam_adds_none(self) -> None:
        functions = of_type("AWS::Serverless::Function")
        assert set(functions) == set(FUNCTIONS)
        for name, function in functions.items():
            assert function["Role"] == {"Fn::GetAtt": [f"{name}Role", "Arn"]}
            assert "Policies" not in function

    def test_only_lambda_and_the_scheduler_may_take_the_roles(self) -> None:
        for name, role in ROLES.items():
            (trust,) = role["AssumeRolePolicyDocument"]["Statement"]
            service = "scheduler" if name == "ScheduleRole" else "lambda"
            assert trust["Principal"] == {"Service": f"{service}.amazonaws.com"}

    def test_only_our_api_and_only_its_own_paths_may_call_the_functions(self) -> None:
        sources = {
            (shown(one["FunctionName"]), shown(one["SourceArn"]).partition("${HttpApi}/")[2])
            for one in of_type("AWS::Lambda::Permission").values()
        }
        assert sources == {
            ("Ingest", "*/POST/webhooks/*"),
            ("Ingest", "*/GET/webhooks/carriers/*"),
            ("Hub", "*/GET/api/*"),
            ("Hub", "*/POST/api/*"),
        }


class TestSecrets:
    def test_no_secret_is_in_an_environment(self) -> None:
        for name in FUNCTIONS:
            variables = RESOURCES[name]["Properties"]["Environment"]["Variables"]
            for variable, value in variables.items():
                # "{{resolve:secretsmanager:...}}" would put the value itself there.
                assert "resolve:" not in json.dumps(value)
                if "SECRET" in variable:
                    secrets = {"SourcesSecret.Id", "HubSecret.Id", "DestinationsSecret.Id"}
                    assert shown(value) in secrets

    def test_the_sources_are_closed_until_someone_opens_them(self) -> None:
        assert json.loads(RESOURCES["SourcesSecret"]["Properties"]["SecretString"]) == {}

    def test_nobody_is_told_but_over_the_topic_until_someone_says_so(self) -> None:
        assert json.loads(RESOURCES["DestinationsSecret"]["Properties"]["SecretString"]) == {}

    def test_the_hub_token_is_made_by_aws(self) -> None:
        secret = RESOURCES["HubSecret"]["Properties"]
        assert secret["GenerateSecretString"]["PasswordLength"] >= 32
        assert "SecretString" not in secret

    def test_no_parameter_takes_a_secret(self) -> None:
        assert not [name for name in TEMPLATE["Parameters"] if "Secret" in name or "Token" in name]


class TestTable:
    table = RESOURCES["Table"]

    def test_it_outlives_the_stack_and_can_be_put_back_to_any_second(self) -> None:
        assert self.table["DeletionPolicy"] == "Retain"
        assert self.table["UpdateReplacePolicy"] == "Retain"
        properties = self.table["Properties"]
        assert properties["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"] is True
        assert properties["SSESpecification"]["SSEEnabled"] is True
        assert properties["BillingMode"] == "PAY_PER_REQUEST"

    def test_rows_expire_by_expires_at(self) -> None:
        assert self.table["Properties"]["TimeToLiveSpecification"] == {
            "AttributeName": "expires_at",
            "Enabled": True,
        }

    def test_the_stream_carries_keys_alone(self) -> None:
        assert self.table["Properties"]["StreamSpecification"] == {"StreamViewType": "KEYS_ONLY"}

    def test_the_indexes_are_due_and_board(self) -> None:
        found = {
            index["IndexName"]: (
                [key["AttributeName"] for key in index["KeySchema"]],
                index["Projection"]["ProjectionType"],
            )
            for index in self.table["Properties"]["GlobalSecondaryIndexes"]
        }
        assert found == {
            "due": (["due_pk", "due_at"], "KEYS_ONLY"),
            "board": (["board_pk", "board_at"], "INCLUDE"),
        }

    def test_no_index_shows_personal_data(self) -> None:
        board = self.table["Properties"]["GlobalSecondaryIndexes"][1]
        shown_attributes = set(board["Projection"]["NonKeyAttributes"])
        assert not shown_attributes & {"buyer", "name", "phone", "address", "mail", "body"}


class TestFunctions:
    def test_runtime_and_processor_are_those_the_layer_is_built_for(self) -> None:
        shared = TEMPLATE["Globals"]["Function"]
        assert (shared["Runtime"], shared["Architectures"]) == ("python3.13", ["arm64"])
        layer = RESOURCES["CommonLayer"]["Properties"]
        assert layer["CompatibleRuntimes"] == ["python3.13"]
        assert layer["CompatibleArchitectures"] == ["arm64"]
        makefile = (template.TEMPLATE.parent / "layers/common/Makefile").read_text()
        assert "--python-version 3.13" in makefile
        assert "aarch64" in makefile

    @pytest.mark.parametrize(
        ("name", "memory", "timeout"),
        [("Ingest", 1024, 10), ("Sweeper", 512, 65), ("Hub", 512, 15)],
    )
    def test_size_and_time_limit(self, name: str, memory: int, timeout: int) -> None:
        function = RESOURCES[name]["Properties"]
        assert (function["MemorySize"], function["Timeout"]) == (memory, timeout)

    @pytest.mark.parametrize("name", FUNCTIONS)
    def test_each_logs_to_a_group_of_its_own_that_forgets(self, name: str) -> None:
        group = RESOURCES[name]["Properties"]["LoggingConfig"]["LogGroup"]
        assert group == {"Ref": f"{name}Logs"}

    def test_every_log_group_forgets(self) -> None:
        for group in of_type("AWS::Logs::LogGroup").values():
            assert 1 <= group["RetentionInDays"] <= 90

    def test_each_gets_the_variables_it_reads(self) -> None:
        assert {name: sorted(template.environment_of(name)) for name in FUNCTIONS} == {
            name: [*powertools, *own]
            for powertools in [
                ["POWERTOOLS_LOG_LEVEL", "POWERTOOLS_METRICS_NAMESPACE", "POWERTOOLS_SERVICE_NAME"]
            ]
            for name, own in {
                "Ingest": ["SHIPCLOCK_RAW_DAYS", "SHIPCLOCK_SOURCES_SECRET", "SHIPCLOCK_TABLE"],
                "Sweeper": [
                    "SHIPCLOCK_AUTH_URL",
                    "SHIPCLOCK_BUS",
                    "SHIPCLOCK_DESTINATIONS_SECRET",
                    "SHIPCLOCK_MARKETPLACE_URL",
                    "SHIPCLOCK_RAW_DAYS",
                    "SHIPCLOCK_SILENCE_HOURS",
                    "SHIPCLOCK_SOURCES_SECRET",
                    "SHIPCLOCK_TABLE",
                    "SHIPCLOCK_TIME_TRAVEL",
                    "SHIPCLOCK_TOPIC",
                ],
                "Hub": ["SHIPCLOCK_HUB_SECRET", "SHIPCLOCK_TABLE"],
            }.items()
        }

    def test_nobody_travels_in_time_unless_told_to(self) -> None:
        assert TEMPLATE["Parameters"]["TimeTravel"]["Default"] == "off"


class TestSweeper:
    sweeper = RESOURCES["Sweeper"]["Properties"]

    def test_the_schedule_is_every_minute_and_never_repeats(self) -> None:
        schedule = self.sweeper["Events"]["EveryMinute"]
        assert schedule["Type"] == "ScheduleV2"
        assert schedule["Properties"]["ScheduleExpression"] == "rate(1 minute)"
        assert schedule["Properties"]["RetryPolicy"] == {"MaximumRetryAttempts": 0}
        assert schedule["Properties"]["State"] == {"Ref": "ScheduleState"}
        assert schedule["Properties"]["RoleArn"] == {"Fn::GetAtt": ["ScheduleRole", "Arn"]}

    def test_a_lease_outlives_any_run(self) -> None:
        assert timedelta(seconds=self.sweeper["Timeout"]) + GIVE_UP < LEASE

    def test_a_failed_run_is_kept_and_not_repeated(self) -> None:
        config = self.sweeper["EventInvokeConfig"]
        assert config["MaximumRetryAttempts"] == 0
        assert config["DestinationConfig"]["OnFailure"] == {
            "Type": "SQS",
            "Destination": {"Fn::GetAtt": ["DeadLetters", "Arn"]},
        }

    def test_only_new_deliveries_wake_it(self) -> None:
        stream = self.sweeper["Events"]["NewDelivery"]["Properties"]
        (pattern,) = stream["FilterCriteria"]["Filters"]
        assert json.loads(pattern["Pattern"]) == {
            "eventName": ["INSERT"],
            "dynamodb": {"Keys": {"sk": {"S": [{"prefix": "DELIVERY"}]}}},
        }

    def test_a_failing_poke_blocks_its_shard_for_a_minute_at_most(self) -> None:
        stream = self.sweeper["Events"]["NewDelivery"]["Properties"]
        assert stream["MaximumRecordAgeInSeconds"] == 60
        assert stream["MaximumRetryAttempts"] <= 3
        assert stream["BisectBatchOnFunctionError"] is True
        assert stream["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
        assert stream["BatchSize"] == 100
        destination = stream["DestinationConfig"]["OnFailure"]["Destination"]
        assert destination == {"Fn::GetAtt": ["DeadLetters", "Arn"]}

    def test_reserved_concurrency_cannot_starve_the_schedule(self) -> None:
        assert "ReservedConcurrentExecutions" not in self.sweeper


class TestFrontDoor:
    def test_the_routes_are_these(self) -> None:
        routes = {
            one["RouteKey"]: one["Target"]["Fn::Sub"]
            for one in of_type("AWS::ApiGatewayV2::Route").values()
        }
        assert routes == {
            "POST /webhooks/tiktok": "integrations/${IngestIntegration}",
            "POST /webhooks/carriers/{source}": "integrations/${IngestIntegration}",
            "GET /webhooks/carriers/{source}": "integrations/${IngestIntegration}",
            "POST /webhooks/carriers/{source}/token": "integrations/${IngestIntegration}",
            "GET /api/{proxy+}": "integrations/${HubIntegration}",
            "POST /api/{proxy+}": "integrations/${HubIntegration}",
        }

    def test_it_is_throttled(self) -> None:
        settings = RESOURCES["HttpStage"]["Properties"]["DefaultRouteSettings"]
        assert 0 < settings["ThrottlingRateLimit"] <= settings["ThrottlingBurstLimit"]

    def test_its_log_lines_are_json_without_addresses_or_bodies(self) -> None:
        line = json.loads(RESOURCES["HttpStage"]["Properties"]["AccessLogSettings"]["Format"])
        assert "$context.routeKey" in line.values()
        assert not [value for value in line.values() if "identity" in value or "path" in value]
        # the calendar's address holds a token; these are all, and none of them has any of it
        assert set(line.values()) == {
            *("$context.requestId", "$context.requestTime", "$context.routeKey"),
            *("$context.status", "$context.responseLatency"),
            "$context.integrationErrorMessage",
        }


class TestAlarms:
    alarms = of_type("AWS::CloudWatch::Alarm")

    def test_each_goes_to_the_topic_and_says_what_to_do(self) -> None:
        for name, alarm in self.alarms.items():
            assert alarm["AlarmActions"] == [{"Ref": "Topic"}], name
            assert len(alarm["AlarmDescription"]) > 60, name

    def test_silence_alarms_only_where_silence_is_wrong(self) -> None:
        breaching = {
            name for name, one in self.alarms.items() if one["TreatMissingData"] == "breaching"
        }
        assert breaching == {"SweeperSilentAlarm"}

    def test_all_that_needs_a_person_is_watched(self) -> None:
        watched = {
            (alarm["Namespace"], alarm["MetricName"], alarm["Statistic"])
            for alarm in self.alarms.values()
        }
        assert watched == {
            ("AWS/ApiGateway", "5xx", "Sum"),
            ("AWS/Lambda", "Errors", "Sum"),
            ("AWS/SQS", "ApproximateNumberOfMessagesVisible", "Maximum"),
            ("Shipclock", "ClockSkew", "Sum"),
            ("Shipclock", "DestinationMalformed", "Sum"),
            ("Shipclock", "MessageDead", "Sum"),
            ("Shipclock", "TellingFailed", "Sum"),
            ("Shipclock", "OldestDueSeconds", "Maximum"),
            ("Shipclock", "OldestDueSeconds", "SampleCount"),
            ("Shipclock", "OrderFailing", "Sum"),
            ("Shipclock", "OrderUnreadable", "Sum"),
            ("Shipclock", "ShopDisconnected", "Sum"),
            ("Shipclock", "TokenRefused", "Sum"),
            ("Shipclock", "PullFailed", "Sum"),
            ("Shipclock", "PushDead", "Sum"),
            ("Shipclock", "PushUnclear", "Sum"),
            ("Shipclock", "Quarantined", "Sum"),
            ("Shipclock", "SignatureRefused", "Sum"),
            ("Shipclock", "TimeRefused", "Sum"),
        }

    def test_our_own_metrics_are_told_apart_by_service_alone(self) -> None:
        services = {
            RESOURCES[name]["Properties"]["Environment"]["Variables"]["POWERTOOLS_SERVICE_NAME"][
                "Fn::Sub"
            ]
            for name in FUNCTIONS
        }
        for name, alarm in self.alarms.items():
            if alarm["Namespace"] == "Shipclock":
                (dimension,) = alarm["Dimensions"]
                assert dimension["Name"] == "service", name
                assert dimension["Value"]["Fn::Sub"] in services, name

    def test_the_dashboard_is_json(self) -> None:
        body = RESOURCES["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"]
        assert len(json.loads(body)["widgets"]) == 4


def test_every_output_that_the_local_stack_reads_is_there() -> None:
    assert {
        "ApiId",
        "TableName",
        "IngestFunction",
        "SweeperFunction",
        "HubFunction",
        "SourcesSecret",
        "HubSecret",
        "BusName",
        "TopicArn",
    } <= set(TEMPLATE["Outputs"])
