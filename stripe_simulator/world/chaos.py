"""Random trouble with deliveries: a frozen recipe with a seed, used by world.py and deliveries.py.

Each share is between 0 and 1. A dropped event is never delivered, but the API still lists it; any other event arrives
eventually.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random


@dataclass(frozen=True)
class Chaos:
    """Shares of events that are delivered twice, dropped, or emitted again with a second id; seconds of delay."""

    duplicate: float = 0.0
    shuffle: float = 0.0
    delay: tuple[float, float] = (0.0, 0.0)
    drop: float = 0.0
    two_ids: float = 0.0
    seed: int = 0
    random: Random = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "random", Random(self.seed))

    def happens(self, share: float) -> bool:
        return share > 0 and self.random.random() < share

    def pause(self) -> float:
        """Return the seconds to delay one delivery. The part for `shuffle` lets later events arrive first."""
        return self.random.uniform(*self.delay) + (self.random.uniform(0, self.shuffle) if self.shuffle else 0.0)
