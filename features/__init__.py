"""The shipped pyramid: customer segmentation on real groceries, written in the language of `ziggurat.model`.

No other package imports it; a run finds it by its configured name (`definitions: features`).
"""
