"""WHAT a feature is: the language in which features are declared, as data.

Only the standard library and the expression parser, never Spark. Users import its words from `ziggurat.model`; the
engine, the online store and the docs read the same frozen objects. `registry.load` finds every definition of a
package, `versions.fingerprints` identifies the meaning of each of its columns, `description.describe` explains them.
"""
