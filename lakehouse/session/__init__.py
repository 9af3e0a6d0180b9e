"""The one place that starts Spark, and all that one machine needs for it: Java, Delta's jars, settings.

`start.open_session` opens the session, `conf` holds Spark's settings, `environment.checks` looks at the machine.
"""
