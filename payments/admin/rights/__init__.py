"""The desk's lists about people's rights: erasures, and what was removed by age."""

from payments.admin.rights import erasures, removals

__all__ = ["erasures", "removals"]
