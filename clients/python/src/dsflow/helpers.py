"""Where dsflow 0.2 has its context; there `create` gives the Spark session too."""
from __future__ import annotations

from dsflow import DsflowContext as _Context

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Tuple


class DsflowContext:
    @staticmethod
    def create() -> Tuple[_Context, Any]:
        context = _Context.create()
        return context, context.spark
