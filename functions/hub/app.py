"""The hub's doorbell: a JSON API to read orders, what lies ahead of them, what waits for a person
and stock, to ask for what a marketplace should be told, and to declare incidents."""

import os
from typing import Annotated, Any, NoReturn

from aws_lambda_powertools import Logger
from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response, content_types
from aws_lambda_powertools.event_handler.exceptions import (
    BadRequestError,
    NotFoundError,
    ServiceError,
    UnauthorizedError,
)
from aws_lambda_powertools.event_handler.openapi.exceptions import (
    RequestUnsupportedContentType,
    RequestValidationError,
)
from aws_lambda_powertools.event_handler.openapi.models import APIKey, HTTPBearer
from aws_lambda_powertools.event_handler.openapi.params import Body, Query
from aws_lambda_powertools.event_handler.openapi.types import OpenAPIResponse
from aws_lambda_powertools.logging import correlation_paths
from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEventV2
from aws_lambda_powertools.utilities.typing import LambdaContext

from shipclock import hub, incident_view, rows, wiring
from shipclock.asking import ID, NotAsked, ask
from shipclock.domain.incident import Incident
from shipclock.domain.order import DUE_STAGES
from shipclock.fulfillment.figures import MOST_DAYS
from shipclock.horizon.answers import due_clocks, forecast_page
from shipclock.horizon.feed import CONTENT_TYPE, MOST_ORDERS, WANTED, feed
from shipclock.horizon.reading import read_open, zones_of
from shipclock.horizon.shapes import DueClocks, ForecastPage
from shipclock.horizon.until import ahead, until
from shipclock.hub import Asked, Asking, OrderList, QuarantineList, Refusal, StockList, Visitor
from shipclock.incident_shapes import (
    Changing,
    Declaring,
    IncidentList,
    IncidentOrders,
    IncidentTexts,
    IncidentView,
    Lifting,
)
from shipclock.incidents import lift, read_declared
from shipclock.meant import BadQuery
from shipclock.order_view import order_view
from shipclock.settings import HubSettings
from shipclock.standing import day_of, signals_list
from shipclock.standing_views import SignalsList
from shipclock.views import OrderView

logger = Logger()
app = APIGatewayHttpResolver(enable_validation=True)
store, secret = wiring.hub(HubSettings.from_env(os.environ))

Limit = Annotated[int, Query(ge=1, le=200)]
ShopIds = Annotated[list[str] | None, Query()]
"""One shop or several: API Gateway joins a word that is sent again by commas, and Powertools takes
such a list apart."""

VERSION = "1"
WHO = "send a hub token as 'Authorization: Bearer …'"
SEND_JSON = "send JSON"
BY_ADDRESS = frozenset({"/api/openapi.json", "/api/calendar.ics"})
"""What is read without a token in a header. Neither takes a word that is not a text, nor a body."""
RESERVE_MS = 5_000
"""What is kept of a request's time for working out and sending what was read."""


def visitor(right: str) -> Visitor:
    """Who asks; refuses with 401 without a good token and 403 without the right."""
    header = app.current_event.headers.get("authorization", "")
    who = hub.visitor(header, secret())
    if who is None:
        raise UnauthorizedError(WHO)
    if right not in hub.ROLES.get(who.role, ()):
        raise ServiceError(403, f"the role {who.role!r} may not do this")
    return who


def feed_visitor() -> Visitor:
    """Who asks for the calendar: by a token in the address, for calendar apps send no headers.

    It is no parameter of the route: at the log level DEBUG these are logged.
    """
    token = (app.current_event.query_string_parameters or {}).get("token")
    if token is None:
        return visitor("calendar")
    who = hub.feed_visitor(token, secret())
    if who is None:
        raise UnauthorizedError("token: one of the role 'calendar', and no other, may stand here")
    return who


def in_time() -> bool:
    """Whether more may be read for this request's answer."""
    return bool(app.lambda_context.get_remaining_time_in_millis() > RESERVE_MS)


def refused(error: Exception) -> NoReturn:
    """What can't be meant is 400."""
    raise BadRequestError(str(error)) from error


def misread(error: RequestValidationError) -> NoReturn:
    """What is not of its shape is 422."""
    raise ServiceError(422, hub.slips(error.errors())) from error


def no_json(error: RequestUnsupportedContentType) -> NoReturn:
    """A body of another kind is 415."""
    raise ServiceError(415, SEND_JSON) from error


app.exception_handler([BadQuery, NotAsked])(refused)
app.exception_handler(RequestValidationError)(misread)
app.exception_handler(RequestUnsupportedContentType)(no_json)


NOES = {
    400: "a word that can't be meant",
    401: "no token, or none of the hub's secret",
    403: "the token's role may not do this",
    404: "there is none, or it is not of the token's shops",
    415: "the body is no JSON",
    422: "a word or a body that is not of its shape",
}


def answers(*noes: int, status: int = 200, told: str = "the answer") -> dict[int, OpenAPIResponse]:
    """What a route answers: `status`, and the kinds of no that it has beside those of all."""
    refusals: dict[int, OpenAPIResponse] = {
        no: {"description": NOES[no], "content": {"application/json": {"model": Refusal}}}
        for no in sorted({401, 403, 422, *noes})
    }
    return {status: {"description": told}, **refusals}


@app.get("/api/orders/<order_id>", responses=answers(404))
def order(order_id: str) -> OrderView:
    """One order, whole."""
    who = visitor("orders")
    found = order_view(store, order_id, wiring.real()) if ID.fullmatch(order_id) else None
    if found is None or not who.may_see(found.shop_id):
        raise NotFoundError("there is no such order")
    return found


@app.post(
    "/api/orders/<order_id>/requests",
    responses=answers(400, 404, 415, status=202, told="asked for"),
)
def request(order_id: str, asking: Annotated[Asking, Body()]) -> Response[Asked]:
    """Ask that the marketplace be told something of an order, or approve of what is prepared."""
    who = visitor("ask")
    head = store.get((rows.order_pk(order_id), rows.HEAD)) if ID.fullmatch(order_id) else None
    if head is None or not who.may_see(head["shop_id"]):
        raise NotFoundError("there is no such order")
    made = ask(
        store,
        order_id,
        asking.deed,
        asking.says,
        wiring.real(),
        who.role,
        asking.package_id,
        asking.revoked,
    )
    told = Asked(order_id=order_id, deed=made.deed, asked_at=made.asked_at)
    return Response(202, content_types.APPLICATION_JSON, told)


@app.get("/api/orders", responses=answers(400))
def orders(
    shop_id: ShopIds = None,
    stage: str | None = None,
    limit: Limit = 50,
    start: str | None = None,
) -> OrderList:
    """Orders by shop and stage, the next due first."""
    shops = _shops(visitor("orders"), shop_id)
    stages = hub.every_stage()
    if stage is not None and stage not in stages:
        raise BadQuery(f"stage: one of {', '.join(stages)} was expected")
    begin = hub.page_start(start)
    return hub.order_list(store, shops, (stage,) if stage else stages, limit, begin)


@app.get("/api/due", responses=answers(400))
def due(
    within: str = "24h",
    shop_id: ShopIds = None,
    limit: Limit = 50,
    start: str | None = None,
) -> OrderList:
    """Orders whose next clock runs out within a span from now, overdue ones included."""
    shops = _shops(visitor("due"), shop_id)
    by = wiring.real() + hub.within(within)
    begin = hub.page_start(start)
    return hub.order_list(store, shops, DUE_STAGES, limit, begin, by)


@app.get("/api/due/clocks", responses=answers(400))
def clocks(
    within: str = "24h",
    shop_id: ShopIds = None,
    limit: Limit = 50,
    start: str | None = None,
) -> DueClocks:
    """The clocks that run out within a span from now: what stops each, and what to do."""
    shops = _shops(visitor("due"), shop_id)
    span, begin = hub.within(within), hub.page_start(start)
    return due_clocks(store, shops, wiring.real(), span, limit, begin, in_time)


@app.get("/api/forecast", responses=answers(400))
def forecast(
    until_: Annotated[str | None, Query(alias="until")] = None,
    within: str | None = None,
    shop_id: ShopIds = None,
    limit: Limit = 50,
    start: str | None = None,
) -> ForecastPage:
    """What follows for open orders if nothing more happens, per local day and clock."""
    shops = _shops(visitor("due"), shop_id)
    real = wiring.real()
    begin = hub.page_start(start)
    if until_ is not None and within is not None:
        raise BadQuery("until, within: send one of them")
    span = hub.within("7d" if within is None else within)
    end = ahead(real, span) if until_ is None else until(until_, real, zones_of(store, shops))
    return forecast_page(store, shops, real, end, limit, begin, in_time)


@app.get(
    "/api/calendar.ics",
    responses={
        **answers(400),
        200: {"description": "an iCalendar", "content": {"text/calendar": {}}},
    },
    security=[{"hubToken": []}, {"feedToken": []}],
)
def calendar(lines: str = "hard", shop_id: ShopIds = None) -> Response[str]:
    """The lines of open orders for a calendar app: those at which the marketplace cancels, or with
    `lines=all` all of them."""
    shops, real = _shops(feed_visitor(), shop_id), wiring.real()
    if lines not in WANTED:
        raise BadQuery(f"lines: one of {', '.join(WANTED)} was expected")
    found = read_open(store, shops, real, MOST_ORDERS, in_time=in_time)
    headers = {"Cache-Control": "private, no-store"}
    return Response(200, CONTENT_TYPE, feed(found, WANTED[lines], real).decode(), headers)


@app.get("/api/quarantine", responses=answers(400))
def quarantine(limit: Limit = 50, start: str | None = None) -> QuarantineList:
    """Deliveries that wait for a person. Whose shop they are about nobody can tell yet."""
    if visitor("quarantine").shops:
        raise ServiceError(403, "a token without shops is needed: these are of any shop")
    begin = hub.page_start(start)
    return hub.quarantine_list(store, limit, begin)


@app.get("/api/stock", responses=answers(400))
def stock(shop_id: ShopIds = None, limit: Limit = 50, start: str | None = None) -> StockList:
    """What is known and wished of the stock, by shop and SKU."""
    shops = _shops(visitor("stock"), shop_id)
    begin = hub.page_start(start, hub.SKU_START)
    return hub.stock_list(store, shops, limit, begin)


@app.get("/api/signals", responses=answers(400))
def signals(
    shop_id: ShopIds = None,
    on: str | None = None,
    days: Annotated[int | None, Query(ge=1, le=MOST_DAYS)] = None,
    limit: Annotated[int, Query(ge=1, le=20)] = 10,
    start: str | None = None,
) -> SignalsList:
    """Where shops stand in the marketplace's performance signals, and where they go."""
    shops = _shops(visitor("signals"), shop_id)
    day, begin = day_of(on), hub.page_start(start, hub.SHOP_START)
    return signals_list(store, shops, wiring.real(), limit, begin, day, days)


@app.get("/api/incidents", responses=answers(400))
def incidents(limit: Limit = 50, start: str | None = None) -> IncidentList:
    """Incidents, the one that began last first."""
    who = visitor("incidents")
    begin = hub.page_start(start, incident_view.INCIDENT_START)
    return incident_view.incident_list(store, who, limit, begin, wiring.real())


@app.post("/api/incidents", responses=answers(400, 415, status=201, told="declared"))
def declare(told: Annotated[Declaring, Body()]) -> Response[IncidentView]:
    """Declare an incident. Declaring the same twice declares it once."""
    who, real = visitor("incidents"), wiring.real()
    made = incident_view.declare_for(who, store, told, real)
    shown = incident_view.incident_view(made, real)
    return Response(201, content_types.APPLICATION_JSON, shown)


@app.get("/api/incidents/<incident_id>", responses=answers(400, 404))
def incident(incident_id: str, limit: Limit = 50, start: str | None = None) -> IncidentOrders:
    """An incident and the orders that it is or may be about."""
    who = visitor("incidents")
    found = _incident(who, incident_id)
    begin = hub.page_start(start, incident_view.ORDER_START)
    return incident_view.incident_orders(store, who, found, limit, begin, wiring.real())


@app.get("/api/incidents/<incident_id>/text", responses=answers(404))
def incident_text(incident_id: str) -> IncidentTexts:
    """The tickets about an incident, ready to paste."""
    who = visitor("incidents")
    return incident_view.incident_texts(store, who, _incident(who, incident_id))


@app.post("/api/incidents/<incident_id>/changes", responses=answers(400, 404, 415))
def change_incident(incident_id: str, told: Annotated[Changing, Body()]) -> IncidentView:
    """Say something else of an incident."""
    who, real = visitor("incidents"), wiring.real()
    _incident(who, incident_id, to_change=True)
    made = incident_view.change_for(who, store, incident_id, told, real)
    return incident_view.incident_view(made, real)


@app.post("/api/incidents/<incident_id>/lift", responses=answers(400, 404, 415))
def lift_incident(incident_id: str, told: Annotated[Lifting, Body()]) -> IncidentView:
    """Say that an incident is over, or was."""
    who, real = visitor("incidents"), wiring.real()
    _incident(who, incident_id, to_change=True)
    over_at = incident_view.time_of(told.over_at, "over_at") or real
    made = lift(store, incident_id, over_at, real, who.role)
    return incident_view.incident_view(made, real)


def _incident(who: Visitor, incident_id: str, to_change: bool = False) -> Incident:
    """An incident that they may see; 404 where there is none, 403 where it is not theirs alone."""
    found = incident_view.found_for(who, read_declared(store), incident_id)
    if found is None:
        raise NotFoundError("there is no such incident")
    if to_change and not incident_view.may_say(who, found):
        raise ServiceError(403, "this incident is about other shops too")
    return found


@app.get("/api/openapi.json", include_in_schema=False)
def openapi() -> Response[str]:
    """The words and shapes of this API; holds no data, so it needs no token."""
    schema = app.get_openapi_json_schema(
        title="Shipclock hub",
        version=VERSION,
        description="What Shipclock knows of orders.",
        security_schemes={
            "hubToken": HTTPBearer(description="A token of the hub's secret."),
            "feedToken": APIKey.model_validate(
                {"name": "token", "in": "query", "description": "A token of the role calendar."}
            ),
        },
        security=[{"hubToken": []}],
    )
    return Response(200, content_types.APPLICATION_JSON, schema)


def _shops(who: Visitor, shop_ids: list[str] | None) -> list[str]:
    """The shops asked for, all where none is, as far as they may see them."""
    if shop_ids is None:
        return hub.connected_shops(store, who)
    return hub.chosen_shops(who, shop_ids)


@logger.inject_lambda_context(correlation_id_path=correlation_paths.API_GATEWAY_HTTP)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer one request of the hub's API (payload format 2.0)."""
    return _turned_away(event) or app.resolve(event, context)


def _turned_away(event: dict[str, Any]) -> dict[str, Any] | None:
    """The answer to a stranger, and to a body that nobody can read; None for all else. The resolver
    looks at words and bodies before a route can ask who sent them."""
    sent = APIGatewayProxyEventV2(event)
    if sent.path in BY_ADDRESS:
        return None
    kind = sent.headers.get("content-type", "").strip().lower()
    if hub.visitor(sent.headers.get("authorization", ""), secret()) is None:
        return _no(401, WHO)
    if sent.http_method != "POST" or not event.get("body"):
        return None
    if kind and kind.partition(";")[0].strip() != content_types.APPLICATION_JSON:
        return _no(415, SEND_JSON)
    try:
        _ = sent.json_body
    except (ValueError, RecursionError):
        return _no(422, hub.NO_JSON)
    return None


def _no(status: int, message: str) -> dict[str, Any]:
    headers = {"Content-Type": content_types.APPLICATION_JSON}
    body = Refusal(statusCode=status, message=message)
    return {"statusCode": status, "headers": headers, "body": body.model_dump_json()}
