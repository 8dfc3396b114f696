"""A measured figure beside its baseline, and whether it keeps its promise."""

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Figure:
    """`baseline` was measured in the same run. At most one of the limits is set; without one it is for information."""

    name: str
    value: float
    unit: str
    baseline: float | None = None
    baseline_name: str = ""
    ratio_limit: float | None = None
    difference_limit: float | None = None
    limit: float | None = None
    at_least_ratio: float | None = None

    @property
    def promise(self) -> str:
        if self.ratio_limit is not None:
            return f"≤ {self.ratio_limit:g} x"
        if self.at_least_ratio is not None:
            return f"≥ {self.at_least_ratio:g} x"
        if self.difference_limit is not None:
            return f"≤ +{self.difference_limit:g} {self.unit}"
        return f"≤ {self.limit:g} {self.unit}" if self.limit is not None else "stated"

    @property
    def kept(self) -> bool | None:
        """None where nothing was promised."""
        if self.ratio_limit is not None and self.baseline:
            return self.value <= self.ratio_limit * self.baseline
        if self.at_least_ratio is not None and self.baseline:
            return self.value >= self.at_least_ratio * self.baseline
        if self.difference_limit is not None and self.baseline is not None:
            return self.value - self.baseline <= self.difference_limit
        return self.value <= self.limit if self.limit is not None else None

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "promise": self.promise, "kept": self.kept}
