"""Layouts of published views, for joins in which only the spine is shuffled.

`job.build_layouts` writes them, `job.keep_up_layouts` brings those that exist to the newest release; `maintenance` says
how one layout follows its view.
"""
