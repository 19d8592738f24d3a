"""One ramp of colours for all drawings: blue for negative, white for neither, orange for positive.

Blue and orange stay apart for every kind of colour blindness (they differ in blue against yellow, and red-green
blindness leaves that alone), and both ends are darker than the middle, so that the strength survives a photocopy.
The steps are after ColorBrewer's PuOr and RdBu, seven classes. Must not import torch.
"""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["Colour", "hexadecimal", "ink", "ramp", "scaled"]

Colour = tuple[int, int, int]

# Value → colour, from −1 to 1 in equal steps.
STEPS: tuple[Colour, ...] = (
    (33, 102, 172),
    (103, 169, 207),
    (209, 229, 240),
    (247, 247, 247),
    (254, 224, 182),
    (241, 163, 64),
    (179, 88, 6),
)
# Below this, the strongest value of a text is not drawn at full strength: a text in which nothing
# matters should look like one.
WEAK = 0.05

EQUAL_CONTRAST = 0.179  # luminance on which black and white are equally easy to read: √(1.05 · 0.05) − 0.05


def ramp(value: float) -> Colour:
    """The colour of a value from −1 (blue) over 0 (white) to 1 (orange); values beyond are as the end."""
    place = (min(max(value, -1.0), 1.0) + 1) / 2 * (len(STEPS) - 1)
    below = min(int(place), len(STEPS) - 2)
    share = place - below
    low, high = STEPS[below], STEPS[below + 1]
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(low, high, strict=True))
    return red, green, blue


def ink(background: Colour) -> Colour:
    """Black or white, whichever has more contrast with it (relative luminance of WCAG 2, here with a power of 2.2)."""
    red, green, blue = ((value / 255) ** 2.2 for value in background)
    return (0, 0, 0) if 0.2126 * red + 0.7152 * green + 0.0722 * blue > EQUAL_CONTRAST else (255, 255, 255)


def hexadecimal(colour: Colour) -> str:
    """As SVG and CSS write it: #2166ac."""
    red, green, blue = colour
    return f"#{red:02x}{green:02x}{blue:02x}"


def scaled(values: Sequence[float], weakest: float = WEAK) -> list[float]:
    """The values divided by the strongest of them, or by `weakest` where all are weaker: −1 to 1."""
    strongest = max((abs(value) for value in values), default=0.0)
    return [value / max(strongest, weakest) for value in values]
