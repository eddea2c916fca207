"""The one scheme of folds that there is, under the name by which its users lay them."""

from golden_core.splits.walk_forward import walk_forward as lay_folds

__all__ = ["lay_folds"]
