"""The words of titles in four languages.

Knows no listing and no brand. Contact details lead nowhere.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Language(StrEnum):
    """What a title is written in (ISO 639-1)."""

    ENGLISH = "en"
    SPANISH = "es"
    CHINESE = "zh"
    RUSSIAN = "ru"


LANGUAGE_SHARES: Mapping[Language, float] = {
    Language.ENGLISH: 0.7,
    Language.SPANISH: 0.12,
    Language.CHINESE: 0.09,
    Language.RUSSIAN: 0.09,
}


@dataclass(frozen=True)
class Phrasebook:
    """One language's words."""

    layouts: tuple[str, ...]
    """Of a branded title, with `{brand}`, `{line}`, `{noun}` and `{detail}`."""
    nouns: Mapping[str, tuple[str, ...]]
    """What branded goods are called, by category."""
    new: tuple[str, ...]
    """Details of goods sold as new."""
    used: tuple[str, ...]
    """Details of goods sold as used."""
    plain: Mapping[str, tuple[str, ...]]
    """Whole titles of unbranded goods by category, some with a `{brand}` that they fit."""
    grades: tuple[str, ...]
    """Words that grade a copy."""
    contacts: tuple[str, ...]
    """Ways to reach the seller elsewhere."""


PHRASEBOOKS: Mapping[Language, Phrasebook] = {
    Language.ENGLISH: Phrasebook(
        layouts=(
            "{brand} {line} {noun}, {detail}",
            "{brand} {noun} {line} {detail}",
            "{noun} {brand} {line} - {detail}",
            "{detail} {brand} {line} {noun}",
        ),
        nouns={
            "sneaker": ("sneakers", "running shoes", "trainers"),
            "handbag": ("handbag", "shoulder bag", "tote bag"),
            "watch": ("watch", "wristwatch"),
            "t-shirt": ("t-shirt", "cotton tee"),
            "cap": ("cap", "baseball cap"),
            "backpack": ("backpack", "rucksack"),
        },
        new=(
            "new with box",
            "brand new",
            "new season",
            "free shipping",
            "black",
            "limited colour",
            "gift idea",
            "with receipt",
            "clearance",
        ),
        used=(
            "used, good condition",
            "worn twice",
            "pre-owned",
            "second hand",
            "small scratch, mirror polish gone",
            "no box",
            "honest wear",
        ),
        plain={
            "batteries": (
                "AAA batteries pack of 3",
                "Alkaline AAA battery 1.5V, quality cells",
                "Rechargeable AAA cells, long life",
            ),
            "scale-model": (
                "1:18 scale model car, die-cast",
                "Model car 1:43 with opening doors",
                "Vintage toy car 1:18, mirror chrome",
            ),
            "collectible": (
                "Museum replica of an ancient coin",
                "Replica Roman medal, cast bronze",
                "Replica historic coin for collectors",
            ),
            "strap": (
                "Leather strap for {brand} watch",
                "Watch strap compatible with {brand}, 20 mm",
                "Spare band, fits {brand}",
            ),
        },
        grades=("1:1", "AAA quality", "AAAA grade", "mirror quality", "top replica", "1:1 mirror", "best copy", "7A"),
        contacts=(
            "WhatsApp +00 555 0142",
            "DM for price",
            "add me on WhatsApp",
            "telegram @best_goods",
            "more photos in chat +00 555 0177",
        ),
    ),
    Language.SPANISH: Phrasebook(
        layouts=(
            "{noun} {brand} {line}, {detail}",
            "{noun} {line} de {brand} {detail}",
            "{brand} {line} {noun} {detail}",
        ),
        nouns={
            "sneaker": ("zapatillas", "tenis"),
            "handbag": ("bolso de mano", "bolso"),
            "watch": ("reloj", "reloj de pulsera"),
            "t-shirt": ("camiseta",),
            "cap": ("gorra",),
            "backpack": ("mochila",),
        },
        new=("nuevo con caja", "a estrenar", "envío gratis", "color negro", "nueva temporada"),
        used=("usado, buen estado", "segunda mano", "poco uso", "sin caja"),
        plain={
            "batteries": ("Pilas AAA alcalinas, paquete de 3",),
            "scale-model": ("Coche a escala 1:18 de metal",),
            "collectible": ("Réplica de moneda romana, museo",),
            "strap": ("Correa compatible con reloj {brand}",),
        },
        grades=("calidad AAA", "réplica 1:1", "calidad espejo", "copia exacta"),
        contacts=("escríbeme por WhatsApp +00 555 0142", "precio por privado", "telegram @best_goods"),
    ),
    Language.CHINESE: Phrasebook(
        layouts=("{brand} {line} {noun} {detail}", "{detail} {brand} {noun} {line}"),
        nouns={
            "sneaker": ("运动鞋", "跑步鞋"),
            "handbag": ("手提包", "单肩包"),
            "watch": ("手表", "腕表"),
            "t-shirt": ("T恤", "短袖"),
            "cap": ("棒球帽",),
            "backpack": ("双肩包", "背包"),
        },
        new=("全新带盒", "新款", "包邮", "黑色"),
        used=("二手 九成新", "闲置转让", "穿过两次"),
        plain={
            "batteries": ("AAA 7号碱性电池 3节装",),
            "scale-model": ("1:18 合金汽车模型",),
            "collectible": ("博物馆 古罗马硬币 复制品",),
            "strap": ("适用于 {brand} 手表 表带",),
        },
        grades=("1:1 复刻", "原单 AAA", "高仿", "顶级复刻"),
        contacts=("加微信 vx_0142", "私聊报价", "看图加V 0177"),
    ),
    Language.RUSSIAN: Phrasebook(
        layouts=("{noun} {brand} {line}, {detail}", "{brand} {line} {noun} {detail}"),
        nouns={
            "sneaker": ("кроссовки",),
            "handbag": ("сумка", "женская сумка"),
            "watch": ("часы", "наручные часы"),
            "t-shirt": ("футболка",),
            "cap": ("кепка", "бейсболка"),
            "backpack": ("рюкзак",),
        },
        new=("новые, с коробкой", "новинка", "бесплатная доставка", "чёрный цвет"),
        used=("б/у, хорошее состояние", "почти новые", "без коробки"),
        plain={
            "batteries": ("Батарейки AAA щелочные, 3 шт",),
            "scale-model": ("Масштабная модель автомобиля 1:18",),
            "collectible": ("Реплика древней монеты, музейная",),
            "strap": ("Ремешок для часов {brand}",),
        },
        grades=("реплика 1:1", "качество ААА", "люкс копия", "зеркальная копия"),
        contacts=("пишите в WhatsApp +00 555 0142", "цена в личку", "телеграм @best_goods"),
    ),
}
