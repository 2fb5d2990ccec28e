"""What Vultr offers: places, plans with their prices, systems. All of it is told without a key."""

from onecore.drivers.kit import Call, pages
from onecore.drivers.kit.values import Json, number, text, texts
from vultr_api import PAGES, api


def locations(call: Call) -> object:
    return [
        {
            "id": text(each, "id"),
            "name": text(each, "city") or text(each, "id"),
            "country": text(each, "country"),
            "continent": text(each, "continent"),
        }
        for each in pages.read(api("locations", needs_key=False), "/regions", "regions", PAGES)
    ]


def plans(call: Call) -> object:
    return [
        {
            "id": text(each, "id"),
            "name": text(each, "id"),
            "cpu": int(number(each, "vcpu_count")),
            "memory_mb": int(number(each, "ram")),
            "disk_gb": int(number(each, "disk")) * max(1, int(number(each, "disk_count"))),
            "transfer_gb": int(number(each, "bandwidth")),
            "class": text(each, "type"),
            **_price(each),
            "locations": texts(each, "locations"),
        }
        for each in _plans("plans")
    ]


def prices(call: Call) -> object:
    return [{"id": text(each, "id"), "name": text(each, "id"), **_price(each)} for each in _plans("prices")]


def images(call: Call) -> object:
    """The systems; their id is what `image` and `os_id` take."""
    return [
        {
            "id": text(each, "id"),
            "name": text(each, "name") or text(each, "id"),
            "distribution": text(each, "family"),
            "arch": text(each, "arch"),
        }
        for each in pages.read(api("images", needs_key=False), "/os", "os", PAGES)
    ]


def _plans(action: str) -> list[Json]:
    return pages.read(api(action, needs_key=False), "/plans", "plans", PAGES)


def _price(each: Json) -> Json:
    """By the month; the hour is told since 2025 only, and is a 672nd of it (28 days)."""
    monthly = number(each, "monthly_cost")
    hourly = number(each, "hourly_cost") or round(monthly / 672, 4)
    return {"price_per_hour": hourly, "price_per_month": monthly, "currency": "USD"}


ACTIONS = {"locations": locations, "plans": plans, "prices": prices, "images": images}
