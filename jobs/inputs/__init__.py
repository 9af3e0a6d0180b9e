"""The inputs of jobs that come after a build: the tables of a release, as histories ready to be joined.

`releases.newest_release` names the table versions, `histories.histories_of` makes the histories of a service, with the
layouts that `attached_layouts` finds for them; `stored_set.StoredSet` names the rows of a training set.
"""
