"""What DigitalOcean offers: places, plans (sizes) with their prices, systems."""

from digitalocean_api import PAGES, api
from onecore.drivers.kit import Call, pages
from onecore.drivers.kit.values import Json, number, text, texts


def locations(call: Call) -> object:
    return [
        {
            "id": text(each, "slug"),
            "name": text(each, "name") or text(each, "slug"),
            "available": each.get("available") is True,
        }
        for each in pages.read(api("locations"), "/regions", "regions", PAGES)
    ]


def plans(call: Call) -> object:
    return [
        {
            "id": text(each, "slug"),
            "name": text(each, "slug"),
            "cpu": int(number(each, "vcpus")),
            "memory_mb": int(number(each, "memory")),
            "disk_gb": int(number(each, "disk")),
            "transfer_gb": int(number(each, "transfer") * 1000),
            "class": text(each, "description"),
            **_price(each),
            "available": each.get("available") is True,
            "locations": texts(each, "regions"),
        }
        for each in _sizes("plans")
    ]


def prices(call: Call) -> object:
    return [
        {"id": text(each, "slug"), "name": text(each, "slug"), **_price(each)} for each in _sizes("prices")
    ]


def images(call: Call) -> object:
    """The systems; the slug is their id where there is one, since it follows the newest build."""
    found = pages.read(api("images"), "/images", "images", PAGES, {"type": "distribution"})
    return [
        {
            "id": text(each, "slug") or text(each, "id"),
            "name": f"{text(each, 'distribution')} {text(each, 'name')}".strip() or text(each, "id"),
            "distribution": text(each, "distribution"),
        }
        for each in found
    ]


def _sizes(action: str) -> list[Json]:
    return pages.read(api(action), "/sizes", "sizes", PAGES)


def _price(each: Json) -> Json:
    return {
        "price_per_hour": number(each, "price_hourly"),
        "price_per_month": number(each, "price_monthly"),
        "currency": "USD",
    }


ACTIONS = {"locations": locations, "plans": plans, "prices": prices, "images": images}
