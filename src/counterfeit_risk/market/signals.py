"""What can be seen of a counterfeit, by name.

Knows no probability: how often each signal is seen on counterfeit and on genuine goods stands in the market's settings
file. Knows no photo and no title either: `pictures` and `words` show what is named here.
"""

from enum import StrEnum


class PhotoTell(StrEnum):
    """What looks wrong on the goods or their mark; each is graded, from 1 (slight) over 2 (plain) to 3 (gross)."""

    WRONG_PROPORTIONS = "wrong_proportions"
    """The mark is too wide, too tall, or its parts do not fit."""
    WRONG_COLOURS = "wrong_colours"
    """The mark is in other colours than the brand's."""
    WRONG_LETTERFORMS = "wrong_letterforms"
    """The wordmark has another typeface, spacing, or letters out of line."""
    WRONG_STITCHING = "wrong_stitching"
    """Seams are crooked, uneven or in a thread of the wrong colour."""
    MISSING_LABEL = "missing_label"
    """Where the sewn-in label should be there is nothing, a blank one, or cut threads."""
    BLURRED_MARK = "blurred_mark"
    """The mark was smeared after the photo was taken."""
    COVERED_MARK = "covered_mark"
    """A sticker, a hand or a painted patch hides the mark."""


TAMPERING = frozenset({PhotoTell.BLURRED_MARK, PhotoTell.COVERED_MARK})
"""Tells that anybody can add to a photo of genuine goods."""


class FileEvasion(StrEnum):
    """What was done to the photo files, so that a search for copies misses them."""

    MIRRORED = "mirrored"
    CROPPED = "cropped"
    BORDERED = "bordered"
    WATERMARKED = "watermarked"
    RECOMPRESSED = "recompressed"
    COLLAGE = "collage"
    """Several photos of the goods in one."""


class BrandTreatment(StrEnum):
    """How a title writes the brand's name."""

    PLAIN = "plain"
    SEPARATED = "separated"
    """Signs or spaces between the letters."""
    LEET = "leet"
    """Digits for letters."""
    HOMOGLYPH = "homoglyph"
    """Letters of another alphabet that look the same."""
    INVISIBLE = "invisible"
    """Characters without width between the letters."""
    SOUND_ALIKE = "sound_alike"
    """A name that sounds alike, as an honest misspelling does too."""
    REMOVED = "removed"
    """No brand at all: generic words only."""


class TitleTell(StrEnum):
    """Words of a title that speak of a copy."""

    GRADE_WORDS = "grade_words"
    """Such as 1:1, AAA quality, replica, mirror quality."""
    CONTACT_DETAILS = "contact_details"
    """A way to reach the seller elsewhere."""
    DISGUISING_WORDS = "disguising_words"
    """Words that call the goods something harmless: a toy watch, a display piece, inspired by."""


class Contradiction(StrEnum):
    """How a title and its photos speak of different things; neither alone looks odd."""

    NONE = "none"
    OTHER_BRAND = "other_brand"
    """The title claims one brand, the photos show another's mark."""
    OTHER_MODEL = "other_model"
    """The title names one kind of goods of the brand, the photos show another kind."""
    HIDDEN_LINK = "hidden_link"
    """The title sells cheap unbranded goods, the photos show branded ones."""
