"""One local stack for the benchmarks that need one: the product, and the recipe beside it."""

import contextlib
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.samples import signature, status_webhook
from cli import build, local

HERE = Path(__file__).resolve().parent


@dataclass(frozen=True, slots=True)
class Both:
    """The product's stack, and the recipe's outputs."""

    stack: local.Stack
    recipe: dict[str, str]

    @property
    def ours(self) -> str:
        """Where the product takes TikTok's webhooks."""
        return f"{self.stack.ingest_url}/webhooks/tiktok"

    @property
    def theirs(self) -> str:
        """Where the recipe does."""
        api = self.recipe["ApiId"]
        return f"{self.stack.aws_endpoint}/_aws/execute-api/{api}/webhooks/recipe"


@contextlib.contextmanager
def both(stream: bool = False) -> Iterator[Both]:
    """A local stack of our own, without schedule or stream, so that only ingest works."""
    with tempfile.TemporaryDirectory(prefix="shipclock-bench-") as folder:
        options = local.Options(state_dir=Path(folder), schedule=False, stream=stream)
        with local.running(options) as stack:
            yield Both(stack, _deploy_recipe(stack))


def _deploy_recipe(stack: local.Stack) -> dict[str, str]:
    environ = {
        **{name: value for name, value in os.environ.items() if not name.startswith("AWS_")},
        **local.CREDENTIALS,
        "AWS_ENDPOINT_URL": stack.aws_endpoint,
        "AWS_REGION": local.REGION,
        "AWS_DEFAULT_REGION": local.REGION,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "NO_PROXY": "127.0.0.1,localhost",
        "no_proxy": "127.0.0.1,localhost",
        "__SAM_CLI_APP_DIR": str(stack.state_dir / "home"),
        "SAM_CLI_POLL_DELAY": "0.3",
    }
    build.sam(
        *("deploy", "--template-file", str(HERE / "recipe" / "template.yaml")),
        *("--stack-name", "recipe", "--region", local.REGION, "--s3-bucket", "artifacts"),
        *("--capabilities", "CAPABILITY_IAM", "--no-progressbar", "--no-confirm-changeset"),
        *("--no-fail-on-empty-changeset", "--parameter-overrides"),
        f"AppKey={stack.tiktok['app_key']}",
        f"AppSecret={stack.tiktok['app_secret']}",
        environ=environ,
        cwd=stack.state_dir,
    )
    found = stack.client("cloudformation").describe_stacks(StackName="recipe")
    return {one["OutputKey"]: one["OutputValue"] for one in found["Stacks"][0]["Outputs"]}


def webhook(stack: local.Stack, number: int) -> bytes:
    """A made-up status webhook, each number another order and notification."""
    return status_webhook(number, stack.tiktok["shop_id"])


def signed(stack: local.Stack, body: bytes) -> dict[str, str]:
    """The headers TikTok sends with a body."""
    told = stack.tiktok
    return {
        "authorization": signature(told["app_key"], told["app_secret"], body),
        "content-type": "application/json",
    }
