"""What the hub and the command line answer of what lies ahead."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from shipclock.domain.times import local
from shipclock.horizon.ahead import Ahead, running_out
from shipclock.horizon.forecast import ASSUMES, Forecast, Foreseen, forecast
from shipclock.horizon.reading import InTime, Open, Unread, read_open
from shipclock.horizon.shapes import (
    AheadLine,
    DueClocks,
    ForecastPage,
    ForecastRow,
    ForeseenLine,
    OrderForecast,
    OutcomeLine,
    UnreadLine,
)
from shipclock.horizon.tally import Tally
from shipclock.horizon.until import Until
from shipclock.judge import Settled
from shipclock.ports import Store


def due_clocks(
    store: Store,
    shops: Iterable[str],
    real: datetime,
    span: timedelta,
    limit: int,
    start: str | None = None,
    in_time: InTime = lambda: True,
) -> DueClocks:
    """The clocks that run out within a span of up to `limit` orders; see `read_open` for its cost
    and errors. Of an order with several all that run out by then are told with it."""
    by = real + span
    found = read_open(store, shops, real, limit, start, by, in_time)
    lines = [line for settled in found.judged for line in _ahead(settled, by)]
    return DueClocks(
        as_of=real,
        until=by,
        clocks=sorted(lines, key=lambda line: (line.due_at, line.order_id, line.clock)),
        unread=unread_lines(found.unread),
        next=found.next,
    )


def _ahead(settled: Settled, by: datetime) -> list[AheadLine]:
    order, about = settled.order, settled.situation
    told = running_out(order, settled.decision.timeline, settled.recorded, about, by)
    return [_ahead_line(settled, one) for one in told]


def _ahead_line(settled: Settled, one: Ahead) -> AheadLine:
    order, clock = settled.order, one.clock
    return AheadLine(
        order_id=order.order_id,
        shop_id=order.shop_id,
        status=order.status,
        clock=clock.name,
        line=one.line,
        due_at=clock.due_at,
        local=local(clock.due_at, zone_of(settled)),
        left_seconds=int(one.left / timedelta(seconds=1)),
        stops=one.stops,
        to_do=one.to_do,
        set_by=clock.set_by,
        clause=clock.clause,
        package_id=clock.package_id or None,
        tracking_number=order.written(clock.number) or None,
    )


def forecast_page(
    store: Store,
    shops: Iterable[str],
    real: datetime,
    until: Until,
    limit: int,
    start: str | None = None,
    in_time: InTime = lambda: True,
) -> ForecastPage:
    """What follows for up to `limit` open orders if nothing more happens; see `read_open` for its
    cost and errors."""
    return forecasts(read_open(store, shops, real, limit, start, None, in_time), real, until)


def forecasts(found: Open, real: datetime, until: Until) -> ForecastPage:
    """The same for orders that were read."""
    tally, orders = Tally(), []
    for settled in found.judged:
        zone = zone_of(settled)
        told = forecast(settled.order, settled.recorded, settled.situation, until(zone))
        tally.add(told, zone)
        if any(one.news for one in told.foreseen):
            orders.append(_order_line(settled, told))
    return ForecastPage(
        as_of=real,
        assumes=ASSUMES,
        read=len(found.judged),
        days=[
            ForecastRow(
                day=row.day.isoformat(),
                shop_id=row.shop_id,
                kind=row.kind,
                clock=row.clock,
                cause=row.cause or None,
                count=row.count,
                first_at=row.first_at,
            )
            for row in tally.rows
        ],
        outcomes=[
            OutcomeLine(
                what=one.what, orders=one.orders, first_at=one.first_at, last_at=one.last_at
            )
            for one in tally.outcomes
        ],
        moot=tally.moot,
        orders=orders,
        unread=unread_lines(found.unread),
        next=found.next,
    )


def _order_line(settled: Settled, told: Forecast) -> OrderForecast:
    return OrderForecast(
        order_id=told.order_id,
        shop_id=told.shop_id,
        cancelled_at=told.cancelled_at,
        cancelled_by=told.cancelled_by or None,
        foreseen=[_foreseen_line(settled, one) for one in told.foreseen if one.news],
    )


def _foreseen_line(settled: Settled, one: Foreseen) -> ForeseenLine:
    return ForeseenLine(
        at=one.at,
        kind=one.kind,
        clock=one.clock,
        cause=one.cause or None,
        due_at=one.due_at,
        package_id=one.package_id or None,
        tracking_number=settled.order.written(one.number) or None,
        moot=one.moot,
    )


def zone_of(settled: Settled) -> ZoneInfo:
    """The time zone of an order's shop."""
    shop = settled.situation.shop
    return ZoneInfo(shop.zone if shop else "UTC")


def unread_lines(unread: Iterable[Unread]) -> list[UnreadLine]:
    """Orders of which nothing can be said, as they are shown."""
    return [UnreadLine(order_id=one.order_id, reason=one.reason) for one in unread]
