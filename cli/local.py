"""The local stack: the real template.yaml on a local AWS, with a sandbox marketplace beside it.

`start(Options(...))` brings one up, empty, and `stop(state_dir)` ends it and forgets its state.
Several can run side by side, each with a state folder of its own: a test session's does not touch
the developer's in `.local/`.

The local AWS is ministack. It runs our functions in its own interpreter and hands its environment
to them, so it gets a small one; it listens on 127.0.0.1 only; and it keeps nothing across starts,
because a restored one no longer delivers the table's stream.
"""

from __future__ import annotations

import base64
import concurrent.futures
import contextlib
import json
import os
import secrets
import shutil
import socket
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import botocore.session
from botocore.config import Config

from cli import build, processes
from shipclock.adapters.dynamodb import DynamoStore
from shipclock.connect import connect_shop
from shipclock.marketplaces.protocol import Shop, Tokens
from shipclock.sources import CARRIERS, MAPPINGS
from shipclock.sources.mapped import load

ROOT = build.ROOT
STATE_DIR = ROOT / ".local"
REGION = "us-east-1"
STACK_NAME = "shipclock"
MARKET = "MY"
TIME_ZONE = "Asia/Kuala_Lumpur"
START_PATIENCE_S = 30.0

# The local AWS takes any; these are what its own documentation uses.
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}

# What a stack keeps in its state folder, and `stop` removes. The rest is not ours to delete.
_STATE = (
    *("home", "tmp", "s3", "cloud-state", "cloud.log", "sandbox.log"),
    *("sandbox.json", "stack.json", "processes.json"),
)


class StackError(Exception):
    """The local stack could not do what was asked; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Options:
    """How to start a local stack."""

    state_dir: Path = STATE_DIR
    schedule: bool = True
    stream: bool = True
    # Where every marketplace and token call goes; None: a sandbox of this stack's own.
    marketplace_url: str | None = None
    # Let the local AWS hold the functions to their IAM policies.
    enforce_iam: bool = False
    # When the sandbox's simulated clock starts, in Unix seconds; None: at the present time.
    sandbox_clock: int | None = None
    # The made-up shop's id; None: another one each time.
    shop_id: str | None = None
    time_travel: bool = True
    log_level: str = "INFO"


@dataclass(frozen=True)
class Stack:
    """A running local stack: where everything is, and the made-up secrets that fit."""

    state_dir: Path
    aws_endpoint: str
    marketplace_url: str
    outputs: dict[str, str]
    tiktok: dict[str, str]
    access_token: str
    refresh_token: str
    hub_token: str
    sources: dict[str, dict[str, Any]]
    processes: list[processes.Process] = field(repr=False)

    @property
    def ingest_url(self) -> str:
        """The base of the webhook paths, without a trailing slash."""
        return self.aws_endpoint + api_path(self.outputs)

    @property
    def hub_url(self) -> str:
        """The base of the hub's paths; the same API as the webhooks'."""
        return self.ingest_url

    def client(self, service: str) -> Any:
        """Return a boto3 client of the local AWS."""
        return local_client(service, self.aws_endpoint)

    def as_promised(self) -> dict[str, Any]:
        """Return what `stack.json` holds: what outside callers may rely on."""
        return {
            "aws_endpoint": self.aws_endpoint,
            "region": REGION,
            "ingest_url": self.ingest_url,
            "hub_url": self.hub_url,
            "hub_token": self.hub_token,
            "marketplace_url": self.marketplace_url,
            "table_name": self.outputs["TableName"],
            "sweeper_function": self.outputs["SweeperFunction"],
            "ingest_function": self.outputs["IngestFunction"],
            "market": MARKET,
            "time_zone": TIME_ZONE,
            "tiktok": self.tiktok,
            "sources": self.sources,
        }


def api_path(outputs: dict[str, str]) -> str:
    """Return the path of the API as outside callers reach it."""
    # The path form: *.localhost names don't resolve on every system.
    return f"/_aws/execute-api/{outputs['ApiId']}"


def local_client(service: str, endpoint: str) -> Any:
    """Return a boto3 client of the local AWS that heeds nothing of this machine's settings."""
    core = botocore.session.Session(
        session_vars={
            # (setting, environment variable, value, conversion): no profile, no file.
            "profile": (None, None, None, None),
            "config_file": (None, None, os.devnull, None),
            "credentials_file": (None, None, os.devnull, None),
        }
    )
    session = boto3.Session(
        aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
        region_name=REGION,
        botocore_session=core,
    )
    # No proxy: this machine's may be set for every address, and is not for 127.0.0.1. No repeat: a
    # call that fails is to be seen. The sweeper may take its whole time limit to answer.
    config = Config(
        proxies={}, connect_timeout=5, read_timeout=90, retries={"total_max_attempts": 1}
    )
    return session.client(service, endpoint_url=endpoint, config=config)  # type: ignore[call-overload]


# WHAT IS MADE UP ----------------------------------------------------------------------------------


def key_material(source: str, api: str = "") -> dict[str, Any]:
    """Make up what a carrier source is authenticated with, as `stack.json` shows it.

    `secret` is what is put into the sources' secret, and `account` the options beside it, if any.
    `api` is the path of the API as outside callers reach it: one sender signs what it calls.
    """
    if source == "shipengine":
        return key_pair()
    whsec = source in ("standard_webhooks", "shipbob")
    made_up: dict[str, Any] = {"secret": SHAPES["whsec" if whsec else _shape(source)]()}
    if source == "ups":
        # It fetches a token with these, at its address and /token, before it calls.
        made_up["client_id"] = secrets.token_hex(16)
        made_up["account"] = {"account": made_up["client_id"]}
    if source == "lalamove":
        # The function is called by another path than the one that the caller sees.
        made_up["api_key"] = "pk_test_" + secrets.token_hex(16)
        made_up["path"] = f"{api}/webhooks/carriers/{source}"
        made_up["account"] = {"path": made_up["path"]}
    return made_up


SHAPES: dict[str, Callable[[], str]] = {
    "text": lambda: secrets.token_hex(32),
    "hex": lambda: secrets.token_hex(32),
    "base64": lambda: base64.b64encode(secrets.token_bytes(32)).decode(),
    # The specification's form: a prefix and 24 to 64 random bytes.
    "whsec": lambda: "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode(),
    "user:password": lambda: f"made-up:{secrets.token_hex(32)}",
}
"""A secret made up, by how it is written."""


def _shape(source: str) -> str:
    """How a source's secret is written: as its mapping says, where it has one."""
    return load(source).spec.proof.shape if source in MAPPINGS else "text"


def key_pair() -> dict[str, str]:
    """Make up an RSA key: `private_key` in PEM and its `key_id`, to sign with; and as `secret` the
    set of keys that holds its public half, in place of an address that publishes it."""
    # Imported here: only a start needs it.
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    numbers = key.public_key().public_numbers()
    key_id = secrets.token_hex(8)
    public = {
        "kty": "RSA",
        "kid": key_id,
        "use": "sig",
        "alg": "RS256",
        "n": _base64url(numbers.n),
        "e": _base64url(numbers.e),
    }
    return {
        "private_key": pem.decode(),
        "key_id": key_id,
        "secret": json.dumps({"keys": [public]}),
    }


def _base64url(number: int) -> str:
    whole = number.to_bytes((number.bit_length() + 7) // 8)
    return base64.urlsafe_b64encode(whole).rstrip(b"=").decode()


def sources_secret(tiktok: dict[str, str], sources: dict[str, dict[str, Any]]) -> str:
    """Return the JSON of the sources secret for this key material."""
    accounts: dict[str, list[dict[str, Any]]] = {
        "tiktok_shop": [{"account": tiktok["app_key"], "secrets": [tiktok["app_secret"]]}]
    }
    for source, material in sources.items():
        options = material.get("account", {})
        accounts[source] = [{"account": "default", "secrets": [material["secret"]], **options}]
    return json.dumps(accounts)


def made_up_shop(shop_id: str | None = None) -> dict[str, str]:
    """Make up an app and a shop of it; the shapes are the marketplace's."""
    digits = "".join(secrets.choice("0123456789") for _ in range(18))
    return {
        "app_key": "6" + secrets.token_hex(6),
        "app_secret": secrets.token_hex(20),
        "shop_id": shop_id or f"7{digits}",
        "shop_cipher": "GCP_" + secrets.token_urlsafe(24),
    }


def seed_shop(stack: Stack) -> None:
    """Connect the made-up shop, with tokens that a marketplace may refuse.

    Nothing is called until something arrives: no reconciliation is due yet.
    """
    shop = Shop(
        shop_id=stack.tiktok["shop_id"],
        marketplace="tiktok_shop",
        market=MARKET,
        zone=TIME_ZONE,
        app_key=stack.tiktok["app_key"],
        cipher=stack.tiktok["shop_cipher"],
        authorisation=stack.tiktok["shop_id"],
    )
    tokens = Tokens(stack.access_token, stack.refresh_token)
    store = DynamoStore(stack.client("dynamodb"), stack.outputs["TableName"])
    connect_shop(store, shop, tokens, datetime.now(UTC), heal=False)


def sandbox_config(stack: Stack, clock: int | None) -> dict[str, Any]:
    """Return what the sandbox marketplace must know to play this stack's shop."""
    shop = {
        "shop_id": stack.tiktok["shop_id"],
        "cipher": stack.tiktok["shop_cipher"],
        "market": MARKET,
        "app_key": stack.tiktok["app_key"],
        "app_secret": stack.tiktok["app_secret"],
        "access_token": stack.access_token,
        "refresh_token": stack.refresh_token,
        "webhook_url": f"{stack.ingest_url}/webhooks/tiktok",
    }
    return {"shops": [shop], **({} if clock is None else {"clock": clock})}


# START AND STOP -----------------------------------------------------------------------------------


def start(options: Options | None = None, say: Callable[[str], None] = lambda _: None) -> Stack:
    """Start a local stack, empty, and return when it answers.

    One that runs in the same state folder already is stopped first. Raises StackError, BuildError
    or ProcessError; nothing is left running then, and the logs stay in the state folder.
    """
    options = options or Options()
    if options.marketplace_url:
        _check_base_url(options.marketplace_url)
    state_dir = options.state_dir.resolve()
    if stop(state_dir):
        say("stopped the stack that was running here")
    for folder in ("home", "tmp", "s3"):
        (state_dir / folder).mkdir(parents=True, exist_ok=True)

    with contextlib.ExitStack() as undo, concurrent.futures.ThreadPoolExecutor(1) as pool:
        building = pool.submit(build.build_local)
        started = _Started(state_dir)
        undo.callback(started.stop)

        port = _free_port()
        endpoint = f"http://127.0.0.1:{port}"
        started.spawn("cloud", *_cloud(state_dir, port, options))
        _wait_for(started, "cloud", lambda: _answers(f"{endpoint}/_ministack/health"))
        say(f"local AWS: {endpoint}")

        sandbox_port = 0 if options.marketplace_url else _free_port()
        marketplace_url = (options.marketplace_url or f"http://127.0.0.1:{sandbox_port}").rstrip(
            "/"
        )
        built = building.result()
        say(f"built: {built.parent.relative_to(ROOT)}")
        outputs = _deploy(built, endpoint, marketplace_url, options)
        stack = Stack(
            state_dir=state_dir,
            aws_endpoint=endpoint,
            marketplace_url=marketplace_url,
            outputs=outputs,
            tiktok=made_up_shop(options.shop_id),
            access_token="ROW_" + secrets.token_urlsafe(24),
            refresh_token="ROW_" + secrets.token_urlsafe(24),
            hub_token=secrets.token_urlsafe(32),
            sources={source: key_material(source, api_path(outputs)) for source in CARRIERS},
            processes=started.running,
        )
        say("deployed: template.yaml")
        _put_secrets(stack)
        if sandbox_port:
            _start_sandbox(started, stack, sandbox_port, options.sandbox_clock, say)
        seed_shop(stack)
        _warm_up(stack)
        _write_down(stack)
        undo.pop_all()
    return stack


def stop(state_dir: Path = STATE_DIR) -> bool:
    """End what `start` started in this state folder and forget its state; tell whether it ran."""
    state_dir = state_dir.resolve()
    listed = processes.load(state_dir / "processes.json")
    running = [one for one in listed if processes.is_running(one)]
    for one in reversed(listed):
        processes.stop(one)
    for name in _STATE:
        path = state_dir / name
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
    return bool(running)


def is_running(state_dir: Path = STATE_DIR) -> bool:
    """Tell whether every process of this folder's stack runs."""
    listed = processes.load(state_dir / "processes.json")
    return bool(listed) and all(processes.is_running(one) for one in listed)


def _check_base_url(url: str) -> None:
    parts = urllib.parse.urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.netloc or parts.path.strip("/"):
        raise StackError(
            f"MARKETPLACE_URL must be an address without a path, such as http://127.0.0.1:8080; "
            f"it is {url!r}."
        )


@contextlib.contextmanager
def running(options: Options | None = None) -> Iterator[Stack]:
    """Start a local stack for the length of a `with` block."""
    stack = start(options)
    try:
        yield stack
    finally:
        stop(stack.state_dir)


class _Started:
    """What a start has started so far, written down at once so that nothing is ever orphaned."""

    def __init__(self, state_dir: Path) -> None:
        self.state_dir = state_dir
        self.running: list[processes.Process] = []

    def spawn(self, name: str, command: list[str], environ: dict[str, str]) -> None:
        log = self.state_dir / f"{name}.log"
        one = processes.spawn(name, command, environ=environ, cwd=self.state_dir, log=log)
        self.running.append(one)
        processes.save(self.running, self.state_dir / "processes.json")

    def stop(self) -> None:
        for one in reversed(self.running):
            processes.stop(one)
        (self.state_dir / "processes.json").unlink(missing_ok=True)


def _small_environment(state_dir: Path) -> dict[str, str]:
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(state_dir / "home"),
        "TMPDIR": str(state_dir / "tmp"),
        "LANG": "C.UTF-8",
        # As on Lambda: functions must not depend on this machine's time zone.
        "TZ": "UTC",
    }


def _cloud(state_dir: Path, port: int, options: Options) -> tuple[list[str], dict[str, str]]:
    environ = {
        **_small_environment(state_dir),
        "GATEWAY_PORT": str(port),
        # Without it, it would listen on every interface.
        "BIND_HOST": "127.0.0.1",
        # No MQTT listener on a fixed port.
        "IOT_MTLS_ENABLED": "0",
        "LAMBDA_EXECUTOR": "local",
        # A function that was warm stays warm for as long as anyone plays with the stack.
        "LAMBDA_WARM_TTL_SECONDS": "86400",
        "PERSIST_STATE": "0",
        "S3_DATA_DIR": str(state_dir / "s3"),
        "STATE_DIR": str(state_dir / "cloud-state"),
        "LOG_LEVEL": "INFO",
    }
    if options.enforce_iam:
        environ["AUTH"] = "true"
    return [str(build.VENVS / "cloud" / "bin" / "python"), "-m", "ministack"], environ


def _deploy(built: Path, endpoint: str, marketplace_url: str, options: Options) -> dict[str, str]:
    home = options.state_dir.resolve() / "home"
    environ = {
        # No profile, region or endpoint of the shell's may lead a deploy anywhere else.
        **{name: value for name, value in os.environ.items() if not name.startswith("AWS_")},
        **CREDENTIALS,
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "NO_PROXY": "127.0.0.1,localhost",
        "no_proxy": "127.0.0.1,localhost",
        "__SAM_CLI_APP_DIR": str(home),
        # sam looks every 5 s whether the deployment is over; here it takes about one.
        "SAM_CLI_POLL_DELAY": "0.3",
    }
    parameters = {
        "ScheduleState": "ENABLED" if options.schedule else "DISABLED",
        "StreamEnabled": "true" if options.stream else "false",
        "TimeTravel": "on" if options.time_travel else "off",
        "MarketplaceUrl": marketplace_url,
        "AuthUrl": marketplace_url,
        "LogLevel": options.log_level,
    }
    # A bucket made by us saves sam the deployment of a stack that makes one.
    local_client("s3", endpoint).create_bucket(Bucket="artifacts")
    build.sam(
        *("deploy", "--template-file", str(built), "--stack-name", STACK_NAME, "--region", REGION),
        *("--s3-bucket", "artifacts", "--capabilities", "CAPABILITY_IAM", "--no-progressbar"),
        *("--no-confirm-changeset", "--no-fail-on-empty-changeset", "--parameter-overrides"),
        *(f"{name}={value}" for name, value in parameters.items()),
        environ=environ,
        cwd=options.state_dir.resolve(),
    )
    found = local_client("cloudformation", endpoint).describe_stacks(StackName=STACK_NAME)
    return {one["OutputKey"]: one["OutputValue"] for one in found["Stacks"][0]["Outputs"]}


def _put_secrets(stack: Stack) -> None:
    client = stack.client("secretsmanager")
    client.put_secret_value(
        SecretId=stack.outputs["SourcesSecret"],
        SecretString=sources_secret(stack.tiktok, stack.sources),
    )
    client.put_secret_value(
        SecretId=stack.outputs["HubSecret"],
        SecretString=json.dumps({"tokens": [{"token": stack.hub_token, "role": "owner"}]}),
    )


def _start_sandbox(
    started: _Started,
    stack: Stack,
    port: int,
    clock: int | None,
    say: Callable[[str], None],
) -> None:
    config = stack.state_dir / "sandbox.json"
    _write_private(config, json.dumps(sandbox_config(stack, clock), indent=2) + "\n")
    command = [
        *(sys.executable, "-m", "sandbox", "--config", str(config), "--port", str(port)),
    ]
    paths = os.pathsep.join([str(ROOT), str(ROOT / "layers" / "common")])
    environ = {**_small_environment(stack.state_dir), "PYTHONPATH": paths}
    started.spawn("sandbox", command, environ)
    _wait_for(started, "sandbox", lambda: _listens(port))
    say(f"sandbox marketplace: {stack.marketplace_url}")


def _warm_up(stack: Stack) -> None:
    """Start each function, by calls that change nothing, so that the first real one is quick."""
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        calls = {
            "ingest": pool.submit(_status, f"{stack.ingest_url}/webhooks/tiktok", b""),
            "hub": pool.submit(_status, f"{stack.hub_url}/api/openapi.json", None),
            "sweeper": pool.submit(_poke_sweeper, stack),
        }
        for name, call in calls.items():
            status, answer = call.result()
            if status >= 500:
                raise StackError(
                    f"The {name} function does not start: it answered {status}, {answer[:2000]}\n"
                    f"Its log is in {stack.state_dir / 'cloud.log'}."
                )


def _poke_sweeper(stack: Stack) -> tuple[int, str]:
    # A stream poke without a record: nothing to translate, nothing to settle, no call.
    done = stack.client("lambda").invoke(
        FunctionName=stack.outputs["SweeperFunction"], Payload=json.dumps({"Records": []})
    )
    return (500 if done.get("FunctionError") else 200), done["Payload"].read().decode()


def _write_down(stack: Stack) -> None:
    function = stack.client("lambda").get_function_configuration(
        FunctionName=stack.outputs["IngestFunction"]
    )
    build.write_ingest_environment(
        stack.state_dir / "ingest.env", function["Environment"]["Variables"]
    )
    # Last: who waits for this file finds everything else in place.
    _write_private(stack.state_dir / "stack.json", json.dumps(stack.as_promised(), indent=2) + "\n")


def _write_private(path: Path, text: str) -> None:
    scratch = path.with_suffix(".new")
    scratch.touch(mode=0o600)
    scratch.write_text(text)
    scratch.replace(path)


# WAITING ------------------------------------------------------------------------------------------

# urllib asks this machine's proxy settings otherwise.
_direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def _status(url: str, body: bytes | None) -> tuple[int, str]:
    try:
        with _direct.open(urllib.request.Request(url, data=body), timeout=30) as answer:  # noqa: S310
            return answer.status, answer.read().decode(errors="replace")
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode(errors="replace")


def _answers(url: str) -> bool:
    try:
        return _status(url, None)[0] == 200
    except OSError:
        return False


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_for(started: _Started, name: str, ready: Callable[[], bool]) -> None:
    process = next(one for one in started.running if one.name == name)
    deadline = time.monotonic() + START_PATIENCE_S
    while not ready():
        if not processes.is_running(process) or time.monotonic() > deadline:
            raise StackError(
                f"{name} did not come up. The end of its log, {process.log}:\n"
                + processes.tail(Path(process.log))
            )
        time.sleep(0.05)
