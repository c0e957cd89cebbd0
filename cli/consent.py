"""A seller's consent: the link to it, and what the browser ended at."""

from __future__ import annotations

import secrets

import click

from shipclock.marketplaces.tiktok_shop import onboarding
from shipclock.onboard import OnboardError
from shipclock.sources import Account


def ask(service_id: str, region: str, host: str, app: Account) -> str:
    """Show the link, take what the browser ended at, and make sure that it is ours."""
    state = secrets.token_urlsafe(24)
    link = onboarding.consent_link(service_id, state, region, host)
    click.echo(f"Open this, signed in with the shop's main account, and allow the app:\n\n  {link}")
    click.echo(f"\nThe code that this gives is good for {onboarding.CODE_LIVES_MINUTES} minutes.")
    pasted = click.prompt("Paste the address that the browser ended at", type=str)
    try:
        return onboarding.read_consent(pasted, state, app.name)
    except onboarding.StateMissing as doubt:
        click.echo(str(doubt))
        if not click.confirm("Did you give this consent yourself just now?", default=False):
            raise OnboardError("Nothing was connected. Begin again with the link.") from None
        return onboarding.read_consent(pasted, state, app.name, stateless=True)
