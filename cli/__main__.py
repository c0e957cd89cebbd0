"""The `shipclock` command: `python -m cli --help`."""

from __future__ import annotations

import sys
from pathlib import Path

# The package lives where the layer is built from.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "layers" / "common"))

import click

from cli import (
    build,
    carriers,
    carriers_try,
    demo,
    docs,
    doctor,
    event_docs,
    horizon,
    incidents,
    local,
    lock,
    notify,
    operate,
    policy,
    policy_cases,
    processes,
    pushes,
    shops,
    signals,
    stock,
    trigger,
)
from cli.evidence import command as evidence
from cli.evidence.gather import NoEvidence
from cli.options import STACK, TABLE
from shipclock.asking import NotAsked
from shipclock.fulfillment.terms import TermsError
from shipclock.onboard import OnboardError
from shipclock.ports import StoreError, StoreRefused
from shipclock.rules.packs import PolicyError
from shipclock.sources.mapped import MappingError


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
def main() -> None:
    """Run Shipclock on this machine, and look after it anywhere."""


@main.command()
@click.option("--schedule", type=click.Choice(["on", "off"]), default="on", show_default=True)
@click.option("--stream", type=click.Choice(["on", "off"]), default="on", show_default=True)
@click.option("--marketplace-url", default="", help="Call this instead of a sandbox.")
@click.option("--enforce-iam", type=click.Choice(["on", "off"]), default="off", show_default=True)
def up(schedule: str, stream: str, marketplace_url: str, enforce_iam: str) -> None:
    """Start the local stack in the background, empty; a running one is replaced."""
    stack = local.start(
        local.Options(
            schedule=schedule == "on",
            stream=stream == "on",
            marketplace_url=marketplace_url or None,
            enforce_iam=enforce_iam == "on",
        ),
        say=click.echo,
    )
    click.echo(
        f"\nReady.\n"
        f"  webhooks     POST {stack.ingest_url}/webhooks/tiktok\n"
        f"               POST {stack.ingest_url}/webhooks/carriers/<source>\n"
        f"  hub          GET  {stack.hub_url}/api/orders\n"
        f"  marketplace  {stack.marketplace_url}\n"
        f"  all of it    .local/stack.json (with the made-up secrets), logs in .local/*.log\n"
        f"`make down` ends it and forgets its state."
    )


@main.command()
def down() -> None:
    """Stop the local stack and forget its state."""
    click.echo("stopped" if local.stop() else "nothing was running")


@main.command("demo")
@click.option("--stay", is_flag=True, help="Leave the hub open until Ctrl-C.")
@click.option("--json", "as_json", is_flag=True, help="Print everything as JSON.")
def demo_command(stay: bool, as_json: bool) -> None:
    """Play sixteen days of signed traffic through the local stack and tell what happened."""
    if not demo.demo(stay=stay, as_json=as_json):
        raise demo.DemoError("Not every order ended where it should; see above.")


@main.command("replay")
@click.argument("deliveries", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="Replay all that is in quarantine.")
@TABLE
@STACK
def replay_command(
    deliveries: tuple[str, ...], everything: bool, table: str | None, stack: str | None
) -> None:
    """Translate quarantined DELIVERIES again (ids as the hub lists them), or list them."""
    store = operate.open_store(table, stack)
    if not deliveries and not everything:
        for line in operate.quarantined(store):
            click.echo(line)
        return
    done = operate.replay(store, deliveries, everything)
    click.echo(f"{done} deliveries are due again; the next sweep translates them")


main.add_command(shops.group)
main.add_command(stock.group)
main.add_command(incidents.group)
carriers.group.add_command(carriers_try.command)
main.add_command(carriers.group)
main.add_command(policy.group)
main.add_command(doctor.command)
main.add_command(signals.command)
main.add_command(evidence.group)
main.add_command(notify.group)


@main.command("build")
def build_command() -> None:
    """Build for Lambda and check the result."""
    built = build.build_aws()
    if not local.is_running():
        build.write_ingest_environment(local.STATE_DIR / "ingest.env")
    click.echo(f"built {built.parent.relative_to(build.ROOT)} for Lambda: next, `make deploy`")


@main.command("docs")
def docs_command() -> None:
    """Write docs/rules.md anew from the rules, and docs/events/ from the events."""
    changed = {"docs/rules.md": docs.write(), "docs/events/": event_docs.write()}
    told = [name for name, has in changed.items() if has]
    click.echo(f"changed: {', '.join(told)}" if told else "nothing changed")


@main.command("lock")
@click.option("--check", is_flag=True, help="Only tell whether the pins fit, without network.")
@click.option("--upgrade", is_flag=True, help="Take the newest versions of all.")
def lock_command(check: bool, upgrade: bool) -> None:
    """Pin what the .in files ask for; what is pinned and still fits keeps its version."""
    if not check:
        changed = lock.lock(upgrade=upgrade)
        click.echo("changed: " + ", ".join(changed) if changed else "nothing changed")
    elif stale := lock.stale():
        raise lock.LockError(f"{', '.join(stale)} do not fit their .in files: run `make lock`.")


for command in (
    pushes.ask_command,
    pushes.approve_command,
    pushes.group,
    pushes.files,
    horizon.due_command,
    horizon.forecast_command,
    horizon.calendar_command,
    trigger.command,
):
    main.add_command(command)


def run() -> int:
    """Run the command line; failures that have a message show it instead of a stack trace."""
    try:
        main(prog_name="shipclock", standalone_mode=True)
    except (
        build.BuildError,
        carriers.ScoreError,
        demo.DemoError,
        horizon.HorizonError,
        local.StackError,
        lock.LockError,
        notify.NotifyError,
        OnboardError,
        operate.OperateError,
        policy_cases.CaseError,
        processes.ProcessError,
        pushes.AskError,
        trigger.TriggerError,
        MappingError,
        NoEvidence,
        NotAsked,
        PolicyError,
        TermsError,
    ) as error:
        click.echo(f"shipclock: {error}", err=True)
        return 1
    except (StoreError, StoreRefused) as error:
        click.echo(
            f"shipclock: The table did not do as asked ({error}). Check its name, and your "
            "shell's region and credentials, then try again.",
            err=True,
        )
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(run())
